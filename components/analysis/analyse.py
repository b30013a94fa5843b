"""Everything that PredictionAnalysis finds, as one JSON value."""

from typing import Any

import numpy as np

from components.analysis.about_intervals import about_intervals
from components.analysis.calibration_error import calibration_error, undo_temperature
from components.analysis.suspects import find_suspects
from components.scoring.intervals import with_intervals
from components.scoring.predictions import Predictions

MISTAKES = 48


def analyse(
    by_split: dict[str, Predictions],
    labels: list[str],
    temperature: float | None,
    resamples: int,
    seed: int,
    judged: dict[str, Predictions] | None = None,
) -> dict[str, Any]:
    """Return scores with intervals, calibration, mistakes and suspects of eval and test.

    Args:
        by_split: predictions of `eval` and `test`.
        labels: class names in the order of their ids.
        temperature: built into the model's probabilities; None if it wasn't calibrated.
        resamples: of the bootstrap for the intervals of averages over classes.
        seed: decides the resamples.
        judged: predictions among which suspects are looked for, where there are more than those of `by_split`.

    Returns:
        By split `metrics`, `about_intervals`, `confusion_matrix`, `calibration`, `originals`, `augmented`,
        `mistakes`; `suspects`.
    """
    found: dict[str, Any] = {
        split: _of_split(predictions, labels, temperature, resamples, seed) for split, predictions in by_split.items()
    }
    found["labels"] = labels
    found["temperature"] = temperature
    found["suspects"] = find_suspects(judged or by_split, labels)
    return found


def _of_split(
    predictions: Predictions, labels: list[str], temperature: float | None, resamples: int, seed: int
) -> dict[str, Any]:
    metrics = with_intervals(predictions, len(labels), resamples, seed)
    for label, row in zip(labels, metrics["per_class"], strict=True):
        row["label"] = label
    error, bins = calibration_error(predictions.probabilities, predictions.labels)
    calibration: dict[str, Any] = {"error": error, "bins": bins, "error_before": None, "bins_before": None}
    if temperature is not None:
        before = undo_temperature(predictions.probabilities, temperature)
        calibration["error_before"], calibration["bins_before"] = calibration_error(before, predictions.labels)
    return {
        "images": len(predictions),
        "metrics": metrics,
        "about_intervals": about_intervals(metrics),
        "confusion_matrix": predictions.confusion(len(labels)).tolist(),
        "calibration": calibration,
        "originals": _accuracy(predictions.where(~predictions.augmented)),
        "augmented": _accuracy(predictions.where(predictions.augmented)),
        "mistakes": _mistakes(predictions, labels),
    }


def _accuracy(predictions: Predictions) -> dict[str, Any]:
    count = len(predictions)
    accuracy = float((predictions.predicted == predictions.labels).mean()) if count else None
    return {"images": count, "accuracy": accuracy}


def _mistakes(predictions: Predictions, labels: list[str]) -> list[dict[str, Any]]:
    """Return the wrong predictions that the model was surest of."""
    wrong = np.flatnonzero(predictions.predicted != predictions.labels)
    confidence = predictions.probabilities.max(axis=1)
    order = sorted(wrong, key=lambda index: (-confidence[index], predictions.names[index]))[:MISTAKES]
    return [
        {
            "filename": str(predictions.names[index]),
            "true": labels[predictions.labels[index]],
            "predicted": labels[predictions.predicted[index]],
            "score": float(confidence[index]),
        }
        for index in order
    ]
