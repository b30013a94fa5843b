"""What is compared of two samples of images, each figure as columns of numbers whose means are shares of images. Pure.

A shift is such a share, too: of so many images more, or fewer, than of test's something can be said, such as that they
are darker than 80: the distance of Kolmogorov and Smirnov where there is an order, the total variation of classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from components.formats.drift_sample import Sample
from pipeline.drift.sides import Floats

CLASSES, ACCEPTED, EMBEDDINGS = "classes", "accepted", "embeddings"
NAMES = (CLASSES, "confidence", ACCEPTED, "brightness", "sharpness", "size", EMBEDDINGS)
_LEVELS = np.arange(1, 20) / 20  # of the pooled images, at which an order is cut
_BINS = 24  # of a chart


@dataclass(frozen=True)
class Shift:
    """How far a figure has moved.

    Attributes:
        share: of the images that lie elsewhere, 0–1.
        relation: "is", or how images lie to a value: "below", "at most", "above", "at least".
        of: what most of the difference is about: a class's place, or that value.
        test: share of test's images of which that can be said.
        served: share of the served ones.
    """

    share: float
    relation: str
    of: float
    test: float
    served: float


@dataclass(frozen=True)
class Spread:
    """How the images of both samples lie along a figure, for a chart.

    Attributes:
        places: the middles of the bins, or the classes' places.
        test: shares of test's images.
        served: shares of the served ones.
    """

    places: list[float]
    test: list[float]
    served: list[float] = field(default_factory=list)


def values_of(name: str, sample: Sample) -> Floats:
    """Return [N] numbers of a figure that has an order; sizes as the root of the picture's area, in pixels."""
    match name:
        case "confidence":
            return sample.score.astype(np.float64)
        case "size":
            return np.sqrt(sample.width.astype(np.float64) * sample.height)
    return np.asarray(getattr(sample, name), np.float64)


def cut(values: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return where values are cut, and of each cut a column: whether a value lies below, or not above.

    Args:
        values: [N], of both samples.

    Returns:
        [D] and [N, 2 D].
    """
    places = np.unique(np.quantile(values, _LEVELS, method="inverted_cdf"))
    rows = values[:, np.newaxis]
    return places, np.hstack([rows < places, rows <= places])


def shift_of_cuts(places: Floats, columns: NDArray[np.bool_], second: NDArray[np.bool_]) -> Shift:
    """Return how far values have moved, by the cut at which the shares differ most."""
    test, served = columns[~second].mean(axis=0), columns[second].mean(axis=0)
    at = int(np.abs(served - test).argmax())
    place, is_strict = float(places[at % len(places)]), at < len(places)
    of_test, of_served = float(test[at]), float(served[at])
    if of_served >= of_test:
        return Shift(of_served - of_test, "below" if is_strict else "at most", place, of_test, of_served)
    return Shift(of_test - of_served, "at least" if is_strict else "above", place, 1 - of_test, 1 - of_served)


def one_hot(places: NDArray[np.int64], count: int) -> Floats:
    """Return [N, count] columns of classes."""
    return np.asarray(np.eye(count)[places])


def shift_of_classes(columns: Floats, second: NDArray[np.bool_]) -> Shift:
    """Return how far the classes' shares have moved, by the class whose share has moved most."""
    test, served = columns[~second].mean(axis=0), columns[second].mean(axis=0)
    at = int(np.abs(served - test).argmax())
    return Shift(float(np.abs(served - test).sum() / 2), "is", at, float(test[at]), float(served[at]))


def spread_of(values: Floats, second: NDArray[np.bool_]) -> Spread:
    """Return how many images of each sample lie where; the lowest and the highest in a hundred are in the end bins."""
    low, high = (float(place) for place in np.quantile(values, [0.01, 0.99]))
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    shares = [np.histogram(np.clip(values[side], low, high), edges)[0] / side.sum() for side in (~second, second)]
    return Spread(((edges[1:] + edges[:-1]) / 2).tolist(), *(share.tolist() for share in shares))


def spread_of_classes(columns: Floats, second: NDArray[np.bool_]) -> Spread:
    """Return each class's share of both samples."""
    shares = [columns[side].mean(axis=0).tolist() for side in (~second, second)]
    return Spread(list(map(float, range(columns.shape[1]))), *shares)


def left_out(reference: Sample, served: Sample, without: Sequence[str]) -> dict[str, str]:
    """Return by figure why it can't be compared, or isn't to be."""
    reasons = {name: "--without says so" for name in NAMES if name in without}
    if served.accepted is None:
        reasons.setdefault(ACCEPTED, "the predictions don't say what was accepted")
    elif reference.accepted is not None and reference.accepted.all() and served.accepted.all():
        reasons.setdefault(ACCEPTED, "the model answers all")
    if served.embeddings is None:
        reasons.setdefault(EMBEDDINGS, "the predictions have none: predict with --embeddings")
    return reasons
