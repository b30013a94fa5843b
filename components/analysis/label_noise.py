"""How likely each label is wrong, by the noise that a model's answers and the labels together show. Pure.

A latent class model, fitted by maximum a posteriori to images that the model wasn't trained on. An image's right class
`y` has probability `q_y = softmax(a · log p + b)_y`, where `p` is what the model says; its label `s` is then drawn from
row `y` of a matrix `T`. Scale and offsets calibrate the model to these images; `T`, the noise transition matrix of
Goldberger & Ben-Reuven (2017) and the latent estimate of confident learning (Northcutt et al. 2021), has one rate of
wrong labels and, where the data shows it, pairs of classes that are confused more than others. `P(y ≠ s | p, s)`
follows by Bayes.

What can't be told apart by such a model: wrong labels, and images that the model takes for another class with as much
confidence as any. A weak model confuses some classes far more often than labels do, so there all pairs have one rate
(`STRONG`); still, some of its mistakes count as wrong labels (docs/results.md has how many).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, logit

_Float = NDArray[np.float64]

# Student's t of log T's entries around their mean: most are near it, or a weak model's confusions would pass for wrong
# labels; a few may be far from it, where one class is always taken for another.
_PAIRS, _FREEDOM = 0.2, 2.0
_OFFSETS, _SCALE = 1.0, 1.0  # standard deviations of b, and of log a, around 0
# Of the log odds of a wrong label around the share that ten public test sets have (Northcutt, Athalye & Mueller 2021).
_RATE, _ODDS = 0.03, 1.0
_MANY, _SHARPER, _CONFUSED = 0.5, 2.0, 2.0  # where the fit begins: see `_beginnings`
_LEAST_RATE, _MOST_RATE, _STEPS = 1e-4, 0.5, 300

# Share of labels that the model gives, too, from which on pairs of classes that disagree are rather wrong labels than
# its own confusions.
STRONG = 0.75


def log_right(probabilities: _Float, labels: NDArray[np.int64]) -> tuple[_Float, NDArray[np.int64]]:
    """Return for each image the logarithm of the probability that its label is right, and the likeliest other class.

    Args:
        probabilities: [N, C], out of sample; C ≥ 2.
        labels: [N], the given classes.

    Returns:
        [N] and [N].
    """
    said = np.log(np.clip(probabilities, 1e-12, None))
    said -= said.mean(axis=1, keepdims=True)
    classes = said.shape[1]
    rows = np.arange(len(labels))
    loss, parts = _posterior(said, labels)
    strong = float((probabilities.argmax(axis=1) == labels).mean()) >= STRONG
    pairs = [(-5.0, 5.0) if strong else (0.0, 0.0)] * (classes * (classes - 1))
    found = [
        minimize(
            loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[(-3, 3), (logit(_LEAST_RATE), logit(_MOST_RATE)), *[(-5, 5)] * classes, *pairs],
            options={"maxiter": _STEPS},
        )
        for start in _beginnings(probabilities, labels)
    ]
    log_q, log_t = parts(min(found, key=lambda one: float(one.fun)).x)
    log_joint = log_q + log_t[:, labels].T
    posterior = log_softmax(log_joint, axis=1)
    right = posterior[rows, labels].copy()
    posterior[rows, labels] = -np.inf
    return right, posterior.argmax(axis=1)


def _beginnings(probabilities: _Float, labels: NDArray[np.int64]) -> list[_Float]:
    """Return where the fit begins, since the density may have two peaks; the higher one it ends at counts.

    One has few wrong labels, of any class. In the other they explain whatever model and labels disagree on, by pairs of
    classes, and the model is surer than it says: a network that has learned from labels wrong in one way gives them
    some of its probability.
    """
    classes = probabilities.shape[1]
    off = ~np.eye(classes, dtype=bool)
    pairs = np.zeros((classes, classes))
    np.add.at(pairs, (probabilities.argmax(axis=1), labels), 1)
    confused = np.log((pairs[off] + 0.5) / (pairs[off].mean() + 0.5))
    offsets = np.zeros(classes)
    return [
        np.concatenate([[0.0, logit(_RATE)], offsets, np.zeros(len(confused))]),
        np.concatenate([[np.log(_SHARPER), logit(_MANY)], offsets, np.clip(confused, -_CONFUSED, _CONFUSED) / 2]),
    ]


def _posterior(
    said: _Float, labels: NDArray[np.int64]
) -> tuple[Callable[[_Float], tuple[float, _Float]], Callable[[_Float], tuple[_Float, _Float]]]:
    """Return the negative logarithm of the posterior density with its gradient, and how parameters are read.

    The parameters are log a, the log odds of a wrong label, b, and the deviations of T's entries off the diagonal.
    Sums are by class rather than products of matrices, so that they don't depend on the number of threads.
    """
    classes = said.shape[1]
    off = ~np.eye(classes, dtype=bool)
    members = [np.flatnonzero(labels == label) for label in range(classes)]

    def parts(at: _Float) -> tuple[_Float, _Float]:
        deviations = np.zeros((classes, classes))
        deviations[off] = at[2 + classes :]
        log_t = log_softmax(np.where(off, at[1] - np.log(classes - 1) + deviations, 0.0), axis=1)
        return log_softmax(np.exp(at[0]) * said + at[2 : 2 + classes], axis=1), log_t

    def loss(at: _Float) -> tuple[float, _Float]:
        log_q, log_t = parts(at)
        log_joint = log_q + log_t[:, labels].T
        top = log_joint.max(axis=1)
        likelihood = top + np.log(np.exp(log_joint - top[:, None]).sum(axis=1))
        right = np.exp(log_joint - likelihood[:, None])  # [N, C], P(y | p, s)
        pairs = np.stack([right[rows].sum(axis=0) for rows in members], axis=1)  # [C, C], expected numbers
        of_t = pairs.sum(axis=1, keepdims=True) * np.exp(log_t) - pairs
        of_z = np.exp(log_q) - right
        deviations, offsets = at[2 + classes :], at[2 : 2 + classes]
        value = -likelihood.sum()
        odds = (at[1] - logit(_RATE)) / _ODDS
        value += (at[0] / _SCALE) ** 2 / 2 + odds**2 / 2 + (offsets**2).sum() / _OFFSETS**2 / 2
        value += (_FREEDOM + 1) / 2 * np.log1p((deviations / _PAIRS) ** 2 / _FREEDOM).sum()
        gradient = np.concatenate(
            [
                [np.exp(at[0]) * (of_z * said).sum() + at[0] / _SCALE**2, of_t[off].sum() + odds / _ODDS],
                of_z.sum(axis=0) + offsets / _OFFSETS**2,
                of_t[off] + (_FREEDOM + 1) * deviations / (_FREEDOM * _PAIRS**2 + deviations**2),
            ]
        )
        return float(value), gradient

    return loss, parts
