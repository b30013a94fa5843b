"""Whether the images that a model is asked about are like those it was tested on. Pure.

Each figure has a permutation test; all share the same permutations, so that the smallest of their p-values can be held
against what chance makes of the smallest (Westfall & Young 1993, single-step minP). That keeps the false alarms of all
figures together, and takes into account that they depend on each other. Of those that are sure, only a shift of the
share that is asked for counts: of enough images anything is sure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from components.formats.drift_sample import Sample
from pipeline.drift.classifier import held_out_scores
from pipeline.drift.figures import (
    ACCEPTED,
    CLASSES,
    EMBEDDINGS,
    NAMES,
    Shift,
    Spread,
    cut,
    left_out,
    one_hot,
    shift_of_classes,
    shift_of_cuts,
    spread_of,
    spread_of_classes,
    values_of,
)
from pipeline.drift.options import LEAST, DriftOptions
from pipeline.drift.sides import Floats, Sides

DRIFTED, STABLE, TOO_FEW = "drifted", "not drifted", "too few"
_DIGITS = 9  # of a statistic: what differs behind them is rounding


@dataclass(frozen=True)
class Compared:
    """One figure.

    Attributes:
        name: of `NAMES`.
        p_value: of its own test.
        adjusted: the same, when all figures are looked at.
        shift: how far it has moved.
        spread: for a chart.
        sure: whether chance alone would hardly do that.
        drifted: whether it is sure and far.
    """

    name: str
    p_value: float
    adjusted: float
    shift: Shift
    spread: Spread
    sure: bool
    drifted: bool


@dataclass(frozen=True)
class Comparison:
    """What came of it.

    Attributes:
        verdict: DRIFTED, STABLE or TOO_FEW.
        figures: in the order of `NAMES`; none where there are too few images.
        left_out: by figure, why it wasn't compared.
        groups: independent images, or groups of them, of test and of what is served.
        unlike: served images that are least like those of test, by what the network sees, the least first.
    """

    verdict: str
    figures: list[Compared]
    left_out: dict[str, str]
    groups: tuple[int, int]
    unlike: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Measured:
    statistics: Floats  # [1 + B], the larger, the less alike
    shift: Shift
    spread: Spread


def compare(reference: Sample, served: Sample, labels: Sequence[str], options: DriftOptions) -> Comparison:
    """Hold what a model is asked about against what it was tested on.

    Args:
        reference: of the test split.
        served: as many images as are to be looked at.
        labels: class names.
        options: what counts.
    """
    missing = left_out(reference, served, options.without)
    groups = len(np.unique(reference.groups)), len(np.unique(served.groups))
    if min(groups) < LEAST:
        return Comparison(TOO_FEW, [], missing, groups)
    second = np.arange(len(reference.ids) + len(served.ids)) >= len(reference.ids)
    own = np.concatenate([reference.groups, served.groups + reference.groups.max() + 1])
    sides = Sides(own, second, options.permutations, options.seed)
    measured = {
        name: _measure(name, reference, served, len(labels), sides, second)
        for name in NAMES
        if name not in missing and name != EMBEDDINGS
    }
    unlike: list[str] = []
    if EMBEDDINGS not in missing:
        features = np.concatenate([_embeddings(reference), _embeddings(served)])
        scores = held_out_scores(features, sides, options.seed)
        measured[EMBEDDINGS] = _by_order(scores[0], second, np.maximum(sides.differences_of(scores), 0.0))
        order = np.argsort(-scores[0, second], kind="stable")
        unlike = [served.ids[place] for place in order]
    p_values = {name: _p_values(one.statistics) for name, one in measured.items()}
    smallest = np.min(list(p_values.values()), axis=0) if p_values else np.ones(1)
    figures = []
    for name, one in measured.items():
        own_value = float(p_values[name][0])
        adjusted = float((smallest <= own_value).mean())
        sure = adjusted <= options.false_alarms
        far = sure and one.shift.share >= options.least_shift
        figures.append(Compared(name, own_value, adjusted, one.shift, one.spread, sure, far))
    verdict = DRIFTED if any(one.drifted for one in figures) else STABLE
    return Comparison(verdict, figures, missing, groups, unlike)


def _measure(
    name: str, reference: Sample, served: Sample, classes: int, sides: Sides, second: NDArray[np.bool_]
) -> _Measured:
    if name == CLASSES:
        columns = one_hot(np.concatenate([reference.predicted, served.predicted]), classes)
    elif name == ACCEPTED:
        assert reference.accepted is not None  # a reference says it
        assert served.accepted is not None  # or else it is left out
        columns = one_hot(np.concatenate([reference.accepted, served.accepted]).astype(np.int64), 2)
    else:
        values = np.concatenate([values_of(name, reference), values_of(name, served)])
        return _by_order(values, second, sides.differences(cut(values)[1].astype(np.float64)))
    return _Measured(sides.differences(columns), shift_of_classes(columns, second), spread_of_classes(columns, second))


def _by_order(values: Floats, second: NDArray[np.bool_], statistics: Floats) -> _Measured:
    places, columns = cut(values)
    return _Measured(statistics, shift_of_cuts(places, columns, second), spread_of(values, second))


def _embeddings(sample: Sample) -> NDArray[np.float32]:
    assert sample.embeddings is not None  # else they are left out
    return sample.embeddings.astype(np.float32)


def _p_values(statistics: Floats) -> Floats:
    """Return of the truth and of each permutation the share of all that are no smaller."""
    ranks = rankdata(-np.round(statistics, _DIGITS), method="max")
    return np.asarray(ranks / len(statistics))
