"""How far an exported file says what the SavedModel says, image by image. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.export.runtimes import accepted
from components.scoring.intervals import with_intervals
from components.scoring.predictions import Predictions


def compare(
    reference: Predictions, probabilities: NDArray[np.float32], thresholds: Sequence[float | None] | None
) -> dict[str, Any]:
    """Return how an exported file's answers on a split compare with the SavedModel's.

    Args:
        reference: what the SavedModel said.
        probabilities: [N, C], what the file says of the same images.
        thresholds: the least score of each class that is answered, None for one that never is; None: all are.

    Returns:
        `agreement`, the share of images with the same label; `accepted_agreement`, of those where both or neither are
        sure enough, None without thresholds; `largest_difference` of two probabilities; `accuracy` with its interval.
    """
    own = replace(reference, probabilities=np.asarray(probabilities, np.float64))
    same = own.predicted == reference.predicted
    sure = [accepted(one.probabilities, thresholds) for one in (own, reference)]
    return {
        "agreement": float(same.mean()),
        "accepted_agreement": None if thresholds is None else float((sure[0] == sure[1]).mean()),
        "largest_difference": float(np.abs(own.probabilities - reference.probabilities).max()),
        "accuracy": with_intervals(own, probabilities.shape[1], 0, 0)["accuracy"],
    }
