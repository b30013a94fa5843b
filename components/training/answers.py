"""How sure a model must be to answer: scores above which a precision is reached with confidence. Pure.

The images of a split are taken by their scores, the surest tenth first, then a twentieth more at a time. At each step
the lower bound of the precision so far is held against the target, and the first step that misses it ends the search:
the one before gives the threshold. Since the steps come in a fixed order, each may use up the whole of 1 - confidence
(fixed-sequence testing: Angelopoulos et al. 2021, arXiv 2110.01052); tried in another order, they would have to share
it (Geifman & El-Yaniv 2017, arXiv 1705.08500). A step with too few images to show the precision even if all were right
decides nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.tools.proportions import proportion
from components.training.options import AnswerOptions

_FIRST, _STEP = 10, 5  # percent of the images: the order of the steps must not depend on who is right
# What serving's scores differ by from those here.
_ROUNDING = 1e-5


@dataclass(frozen=True)
class Threshold:
    """How sure the model must be, of all images or of those that it says are of one class.

    Attributes:
        label: the class; None for all.
        score: the least that is enough; None where none is.
        images: in all, of the split that the threshold was found on.
        answered: with that score or more.
        precision: share of these that are right; None where there are none.
        surely: what it is at least, with confidence.
        reason: why no score is enough; "" where one is.
    """

    label: str | None
    score: float | None
    images: int
    answered: int = 0
    precision: float | None = None
    surely: float | None = None
    reason: str = ""


def find_thresholds(
    probabilities: NDArray[Any],
    truth: NDArray[np.int64],
    groups: Sequence[str],
    copies: Sequence[int],
    labels: Sequence[str],
    options: AnswerOptions,
) -> dict[str, Any] | None:
    """Return what is promised of the model's answers, for `training.json`; None where nothing is.

    Args:
        probabilities: [N, C], as the exported model gives them.
        truth: [N], the classes' ids.
        groups: [N], equal for images that aren't independent.
        copies: [N], 1 for an augmented copy, 0 for an original.
        labels: names in the order of ids.
        options: what to promise.

    Returns:
        `precision`, `confidence`, `per_class`; `thresholds`, a score a class (None: it is never answered); and `found`,
        a `Threshold` a class, or one for all.
    """
    precision = options.precision
    if precision is None:
        return None
    predicted, scores = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right, of, copied = predicted == truth, np.asarray(groups), np.asarray(copies, bool)

    def find(label: str | None, among: NDArray[np.bool_]) -> Threshold:
        facts = scores[among], right[among], of[among], copied[among]
        return find_threshold(*facts, precision, options.confidence, label)

    if options.per_class:
        found = [find(label, predicted == index) for index, label in enumerate(labels)]
    else:
        found = [find(None, np.ones(len(truth), bool))]
    thresholds = [one.score for one in found]
    return {
        "precision": precision,
        "confidence": options.confidence,
        "per_class": options.per_class,
        "thresholds": thresholds if options.per_class else thresholds * len(labels),
        "found": [asdict(one) for one in found],
    }


def find_threshold(
    scores: NDArray[Any],
    right: NDArray[np.bool_],
    groups: NDArray[Any],
    copies: NDArray[np.bool_],
    precision: float,
    confidence: float,
    label: str | None = None,
) -> Threshold:
    """Return the least score above which a precision is reached with confidence.

    Args:
        scores: [N], the higher, the surer.
        right: [N], whether the answer is right.
        groups: [N], equal for images that aren't independent.
        copies: [N], whether an image is an augmented copy.
        precision: the share of right answers, below 1.
        confidence: that it is reached, for images like these.
        label: of the class, for the result.
    """
    order = np.argsort(-scores, kind="stable")
    descending = scores[order]
    found = failed = None
    for percent in range(_FIRST, 100 + _STEP, _STEP) if len(order) else ():
        lowest = float(np.float32(descending[math.ceil(len(order) * percent / 100) - 1] - _ROUNDING))
        among = order[: int((descending >= lowest).sum())]
        facts = groups[among], copies[among]
        if proportion(np.ones(len(among), bool), *facts).surely(confidence) < precision:
            continue
        share = proportion(right[among], *facts)
        surely = share.surely(confidence)
        step = Threshold(label, lowest, len(order), len(among), share.value, surely)
        if surely < precision:
            failed = step
            break
        found = step
    if found is not None:
        return found
    return Threshold(label, None, len(order), reason=_reason(len(order), failed, precision, confidence))


def _reason(images: int, failed: Threshold | None, precision: float, confidence: float) -> str:
    if failed is not None:
        return (
            f"of the surest {failed.answered:,} of {images:,} images {failed.precision:.3f} are right, surely only "
            f"{failed.surely:.3f}"
        )
    needed = math.ceil(math.log(1 - confidence) / math.log(precision))
    what = f"{images:,} images are" if images != 1 else "1 image is"
    return f"{what} too few: {needed:,} that don't belong together, all of them right, are the least"
