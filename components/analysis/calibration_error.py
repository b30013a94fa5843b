"""How far a model's confidence is from its accuracy (Guo et al. 2017, arXiv 1706.04599, section 2)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 15


def calibration_error(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], bins: int = BINS
) -> tuple[float | None, list[dict[str, Any]]]:
    """Return the expected calibration error of the top class, and what a reliability diagram shows.

    Args:
        probabilities: [N, C], rows sum to 1.
        labels: [N].
        bins: of equal width over (0, 1].

    Returns:
        The error (None without images) and one row a bin: `low`, `high`, `count`, mean `confidence` and `accuracy`
        (None where the bin is empty).
    """
    confidence = probabilities.max(axis=1) if len(labels) else np.zeros(0)
    correct = probabilities.argmax(axis=1) == labels if len(labels) else np.zeros(0, bool)
    edges = np.linspace(0, 1, bins + 1)
    which = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    rows, error = [], 0.0
    for index in range(bins):
        inside = which == index
        count = int(inside.sum())
        row: dict[str, Any] = {"low": float(edges[index]), "high": float(edges[index + 1]), "count": count}
        row["confidence"] = float(confidence[inside].mean()) if count else None
        row["accuracy"] = float(correct[inside].mean()) if count else None
        rows.append(row)
        if count:
            error += count / len(labels) * abs(row["confidence"] - row["accuracy"])
    return (float(error) if len(labels) else None), rows


def undo_temperature(probabilities: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Return the probabilities before the logits were divided by `temperature`: p^T, normalised.

    Args:
        probabilities: [N, C].
        temperature: above 0.
    """
    logits = temperature * np.log(np.clip(probabilities, 1e-12, 1.0))
    logits -= logits.max(axis=1, keepdims=True)
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)
