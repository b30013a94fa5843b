"""95 % intervals of scores by a bootstrap over groups (Efron & Tibshirani 1993, percentile method).

Images of one group (a person, a duplicate, the copies of one source) aren't independent, so whole groups are drawn.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from components.analysis.predictions import Predictions
from components.tools.scores import OVERALL, PER_CLASS, scores

LEVEL = 0.95
_CHUNK = 100  # resamples at a time: bounds the memory


def with_intervals(predictions: Predictions, classes: int, resamples: int, seed: int) -> dict[str, Any]:
    """Return scores with intervals.

    Args:
        predictions: of one split.
        classes: number of classes.
        resamples: bootstrap resamples; 0 gives no intervals (None).
        seed: decides the resamples.

    Returns:
        `accuracy` and each overall score as {"value", "low", "high"}; `per_class`, a list of the same by class, with
        `support`.
    """
    point = scores(predictions.confusion(classes).astype(float))
    names = ["accuracy", *OVERALL]
    drawn = _resample(predictions, classes, resamples, seed) if resamples and len(predictions) else None
    found: dict[str, Any] = {name: _one(point[name], drawn and drawn[name]) for name in names}
    found["per_class"] = []
    for index in range(classes):
        row: dict[str, Any] = {"support": int(point["support"][index])}
        for name in PER_CLASS[:-1]:
            row[name] = _one(point[name][index], drawn and drawn[name][:, index])
        found["per_class"].append(row)
    return found


def _resample(predictions: Predictions, classes: int, resamples: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """Return scores of each resample: [B] each overall one, [B, C] each one by class."""
    groups, index = np.unique(predictions.groups, return_inverse=True)
    cells = predictions.labels * classes + predictions.predicted
    # Sparse: a group is in a few cells only, and there are as many cells as classes squared.
    by_group = csr_matrix((np.ones(len(cells)), (index, cells)), shape=(len(groups), classes * classes))
    rng = np.random.default_rng(seed)
    drawn: list[dict[str, Any]] = []
    for start in range(0, resamples, _CHUNK):
        size = min(_CHUNK, resamples - start)
        times = rng.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), size=size)
        one = scores((times @ by_group).reshape(size, classes, classes))
        for name in PER_CLASS[:-1]:  # a class that wasn't drawn has no score
            one[name] = np.where(one["support"] > 0, one[name], np.nan)
        drawn.append(one)
    return {name: np.concatenate([one[name] for one in drawn]) for name in drawn[0]}


def _one(value: Any, drawn: Any) -> dict[str, float | None]:
    if drawn is None or np.isnan(drawn).all():
        return {"value": float(value), "low": None, "high": None}
    low, high = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"value": float(value), "low": float(low), "high": float(high)}
