"""95 % intervals of scores. Pure.

Accuracy, precision and recall are shares of images, F1 follows import math
from one: all have Wilson's interval on the effective
number of images (see `components.tools.proportions`). An average over classes has it on the number of images whose
share would vary as much: the classes' own variances, from shares that are moved a little off the border, and
correlations between them from a bootstrap over groups. Where the resamples of a class don't vary, it counts as
uncorrelated, and no average counts as more images than it would if all classes were equally hard. The bootstrap's own
percentiles would say at the border that nothing is uncertain.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from components.scoring.predictions import Predictions
from components.tools.proportions import LEVEL, Proportion, proportion, two_sided, wilson
from components.tools.scores import OVERALL, PER_CLASS, class_scores, scores

_CHUNK = 100  # resamples at a time: bounds the memory

# What each average is taken of.
_AVERAGED = {
    "balanced_accuracy": "recall",
    "macro_precision": "precision",
    "macro_recall": "recall",
    "macro_f1": "f1",
    "weighted_f1": "f1",
}
_BY_CLASS = PER_CLASS[:-1]
_F1 = "wilson of f1"

Score = dict[str, Any]


def with_intervals(predictions: Predictions, classes: int, resamples: int, seed: int) -> dict[str, Any]:
    """Return scores with intervals.

    Args:
        predictions: of one split.
        classes: number of classes.
        resamples: of the bootstrap; 0 gives averages over classes no intervals (None).
        seed: decides the resamples.

    Returns:
        `accuracy` and each overall score; `per_class`, a list of the same by class, with `support`. Each is {"value",
        "low", "high", "method"}: "wilson", "wilson of f1" or "wilson of classes"; None without an interval. With one
        comes `effective`, the number of independent images that would say as much, and for shares `design_effect`.
    """
    matrix = predictions.confusion(classes).astype(float)
    point = scores(matrix)
    right = predictions.predicted == predictions.labels
    _, groups = np.unique(predictions.groups, return_inverse=True)
    found: dict[str, Any] = {"accuracy": _of_share(point["accuracy"], proportion(right, groups, predictions.augmented))}
    per_class = [_of_class(predictions, groups, index, point) for index in range(classes)]
    drawn = _resample(predictions, classes, resamples, seed) if resamples and len(predictions) else None
    for name in OVERALL:
        of = _AVERAGED[name]
        rows = [row[of] for row in per_class]
        correlation = _correlation(drawn[of]) if drawn else None
        found[name] = _of_average(float(point[name]), rows, _weights(name, matrix), correlation)
    found["per_class"] = per_class
    return found


def _of_class(predictions: Predictions, groups: NDArray[np.int64], index: int, point: Mapping[str, Any]) -> Score:
    true, predicted = predictions.labels == index, predictions.predicted == index
    row: Score = {"support": int(point["support"][index])}
    # Of the images that are or are said to be of a class, F1 counts the right ones twice: 2s / (1 + s) of their share s
    # (Lam et al. 2023, arXiv 2309.14621).
    for name, among in (("precision", predicted), ("recall", true), ("f1", true | predicted)):
        share = proportion((true & predicted)[among], groups[among], predictions.augmented[among])
        row[name] = _of_share(point[name][index], share, of_f1=name == "f1")
    return row


def _of_share(value: Any, share: Proportion, of_f1: bool = False) -> Score:
    if not share.images:
        return {"value": float(value), "low": None, "high": None, "method": None}
    low, high = ((2 * bound / (1 + bound) if of_f1 else bound) for bound in share.interval())
    return {
        "value": float(value),
        "low": low,
        "high": high,
        "method": _F1 if of_f1 else "wilson",
        "design_effect": share.design_effect,
        "effective": share.effective,
    }


def _of_average(
    value: float, rows: list[Score], weights: NDArray[np.float64], correlation: NDArray[np.float64] | None
) -> Score:
    """Return an average with an interval.

    Args:
        value: the average.
        rows: its parts.
        weights: [C] of the parts, 0 for those left out.
        correlation: [C, C] of the parts; None where it isn't known, which gives no interval.
    """
    if correlation is None or not weights.any():
        return {"value": value, "low": None, "high": None, "method": None}
    values = np.array([row["value"] for row in rows])
    # A part without images may be anything: as good as one image.
    counts = np.array([row.get("effective", 1.0) for row in rows])
    of_f1 = np.array([row["method"] == _F1 for row in rows])
    shares = np.where(of_f1, values / (2 - values), values)
    pseudo = two_sided(LEVEL) ** 2  # Wilson's middle
    shares = (shares * counts + pseudo / 2) / (counts + pseudo)
    slopes = np.where(of_f1, 2 / (1 + shares) ** 2, 1.0)
    spreads = weights * slopes * np.sqrt(shares * (1 - shares) / counts)
    # Exact sums: those of linear algebra end in other digits where memory is laid out otherwise.
    middle = math.fsum(weights * np.where(of_f1, 2 * shares / (1 + shares), shares))
    variance = np.float64(math.fsum((spreads[:, np.newaxis] * correlation * spreads).ravel()))
    effective = float(np.minimum(middle * (1 - middle) / variance, 1 / math.fsum(weights**2 / counts)))
    low, high = wilson(value, effective)
    return {"value": value, "low": low, "high": high, "method": "wilson of classes", "effective": effective}


def _weights(name: str, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much each class counts in an average; see `scores`."""
    support = matrix.sum(axis=1)
    if name == "weighted_f1":
        counted = support
    elif name == "balanced_accuracy":
        counted = (support > 0).astype(float)
    else:
        counted = (support + matrix.sum(axis=0) > 0).astype(float)
    return counted / max(counted.sum(), 1.0)


def _correlation(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how the columns of [B, C] correlate; one that doesn't vary, with none."""
    known = ~np.isnan(drawn)
    means = np.where(known, drawn, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    away = np.where(known, drawn - means, 0.0)
    lengths = np.sqrt((away**2).sum(axis=0))
    scaled = np.divide(away, lengths, out=np.zeros_like(away), where=lengths > 1e-9)
    correlation = np.einsum("bi,bj->ij", scaled, scaled)  # in the order of the rows, unlike a product of matrices
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _resample(predictions: Predictions, classes: int, resamples: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """Return [B, C] scores by class of each resample; NaN where a class wasn't drawn."""
    groups, index = np.unique(predictions.groups, return_inverse=True)
    labels, predicted = predictions.labels, predictions.predicted
    right = labels == predicted
    # Hits, support and predictions of each class, side by side: of a thousand classes, whole matrices would take 8 MB a
    # resample. Sparse: a group is of a few classes only.
    columns = np.concatenate([labels[right], classes + labels, 2 * classes + predicted])
    rows = np.concatenate([index[right], index, index])
    by_group = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(groups), 3 * classes))
    rng = np.random.default_rng(seed)
    drawn: list[dict[str, Any]] = []
    for start in range(0, resamples, _CHUNK):
        size = min(_CHUNK, resamples - start)
        times = rng.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), size=size)
        hits, support, said = np.split(times @ by_group, 3, axis=1)
        one = class_scores(hits, support, said)
        drawn.append({name: np.where(one["support"] > 0, one[name], np.nan) for name in _BY_CLASS})
    return {name: np.concatenate([one[name] for one in drawn]) for name in _BY_CLASS}
