"""How often intervals hold the truth: exactly, where that can be summed up, or in simulated test splits."""

from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from components.evaluator.gain import paired_gain
from components.scoring.intervals import with_intervals
from components.scoring.predictions import Predictions
from components.tools.proportions import LEVEL, proportion, wilson
from components.tools.scores import scores


def single_shares(count: int) -> list[float]:
    """Return the values of p at which coverage is looked at."""
    return [0.5, 0.9, 0.99, 1 - 1 / count]


def exact_coverage(count: int, share: float) -> float:
    """Return the probability that Wilson's interval of `count` independent images holds their true share."""
    hits, bounds = np.arange(count + 1), _all_bounds(count)
    holds = (bounds[:, 0] <= share) & (share <= bounds[:, 1])
    return float(binom.pmf(hits, count, share)[holds].sum())


def group_sizes(count: int, size: int | None) -> NDArray[np.int64]:
    """Return the sizes of groups of so many images in all; for None, from 1 to 29."""
    if size is None:
        half = np.arange(1, 30, 2)  # their sum is 225
        return np.concatenate([half, np.full((count - half.sum()) // 3, 3)])
    return np.full(count // size, size)


def grouped_coverage(
    sizes: NDArray[np.int64], share: float, correlation: float, repeats: int, rng: np.random.Generator
) -> float:
    """Return how often the interval of a proportion holds the true share, where images of a group are correlated."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    copies = np.zeros(len(groups), bool)
    held = 0
    for _ in range(repeats):
        low, high = proportion(
            rng.random(len(groups)) < _of_groups(share, correlation, len(sizes), rng)[groups], groups, copies
        ).interval()
        held += low <= share <= high
    return held / repeats


def macro_coverage(
    classes: int, count: int, error: float, group: int, repeats: int, rng: np.random.Generator
) -> dict[str, dict[str, float]]:
    """Return how often intervals of averages over classes hold the truth, by method and score.

    Args:
        classes: their number; the first has twice as many images as the last.
        count: number of images.
        error: share of mistakes in the first class; twice as many in the last.
        group: images a group, which share how hard they are (correlation 0.3).
        repeats: number of simulated test splits.
        rng: decides them.
    """
    priors = np.linspace(2.0, 1.0, classes)
    priors /= priors.sum()
    errors = error * np.linspace(1.0, 2.0, classes)
    confusion = np.eye(classes) * (1 - errors)[:, None]
    for index in range(classes):  # taken for the next class twice as often as for any other
        shares = np.ones(classes)
        shares[index], shares[(index + 1) % classes] = 0.0, 2.0
        confusion[index] += errors[index] * shares / shares.sum()
    truth = scores(confusion * priors[:, None] * 1e6)
    names = ("balanced_accuracy", "macro_precision", "macro_f1", "weighted_f1")
    held = {method: dict.fromkeys(names, 0) for method in ("shown", "percentile bootstrap")}
    groups = np.repeat(np.arange(-(-count // group)), group)[:count]
    for repeat in range(repeats):
        labels = rng.choice(classes, count, p=priors)
        wrong = np.array([_of_groups(one, 0.3 if group > 1 else 0.0, groups.max() + 1, rng) for one in errors])
        mistaken = rng.random(count) < wrong[labels, groups]
        others = confusion * (1 - np.eye(classes))
        bounds = (others / others.sum(axis=1, keepdims=True)).cumsum(axis=1)
        other = (rng.random(count)[:, None] > bounds[labels]).sum(axis=1).clip(max=classes - 1)
        predicted = np.where(mistaken, other, labels)
        predictions = Predictions(
            np.eye(classes)[predicted], labels, groups.astype(str), groups.astype(str), np.zeros(count, bool)
        )
        shown = with_intervals(predictions, classes, 200, repeat)
        drawn = _percentiles(predictions, classes, 400, repeat, names)
        for name in names:
            held["shown"][name] += shown[name]["low"] <= truth[name] <= shown[name]["high"]
            held["percentile bootstrap"][name] += drawn[name][0] <= truth[name] <= drawn[name][1]
    return {method: {name: number / repeats for name, number in by.items()} for method, by in held.items()}


def gain_coverage(
    count: int, better: float, worse: float, group: int, repeats: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return how often the interval of a gain holds the true one, and how often its lower bound is above the true one.

    Args:
        count: number of images.
        better: share of images that the candidate alone has right.
        worse: share that the other alone has right.
        group: images a group, of which all have the same answers with a probability of a half.
        repeats: number of simulated test splits.
        rng: decides them.
    """
    groups = np.repeat(np.arange(-(-count // group)), group)[:count]
    copies = np.zeros(count, bool)
    held = above = 0
    for _ in range(repeats):
        draws = rng.random(count)
        if group > 1:
            tied = rng.random(groups.max() + 1) < 0.5
            draws = np.where(tied[groups], rng.random(groups.max() + 1)[groups], draws)
        candidate, baseline = draws >= worse, (draws < worse) | (draws >= worse + better)
        gain = paired_gain(candidate, baseline, groups, copies, LEVEL)
        held += gain.low <= better - worse <= gain.high
        above += gain.low > better - worse
    return held / repeats, above / repeats


@cache
def _all_bounds(count: int) -> NDArray[np.float64]:
    return np.array([wilson(hit / count, count) for hit in range(count + 1)])


def _of_groups(share: float, correlation: float, number: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return each group's own share, so that images within a group have that correlation."""
    if correlation == 0 or share in (0.0, 1.0):
        return np.full(number, share)
    if correlation == 1:
        return (rng.random(number) < share).astype(float)
    strength = (1 - correlation) / correlation
    return rng.beta(share * strength, (1 - share) * strength, number)


def _percentiles(
    predictions: Predictions, classes: int, resamples: int, seed: int, names: Iterable[str]
) -> dict[str, NDArray[np.float64]]:
    groups, index = np.unique(predictions.groups, return_inverse=True)
    by_group = np.zeros((len(groups), classes * classes))
    np.add.at(by_group, (index, predictions.labels * classes + predictions.predicted), 1)
    times = np.random.default_rng(seed).multinomial(len(groups), np.full(len(groups), 1 / len(groups)), size=resamples)
    drawn = scores((times @ by_group).reshape(resamples, classes, classes))
    return {name: np.quantile(drawn[name], [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) for name in names}
