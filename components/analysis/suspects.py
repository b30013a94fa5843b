"""Images whose label is probably wrong, as a list that one can work through."""

from typing import Any

import numpy as np

from components.analysis.label_noise import log_right
from components.scoring.predictions import Predictions

_LEAST = 0.25  # of the chance that a label is wrong: below, one looks at four images to find one
_MINORITY = 0.5  # of the images of a class: more can't be wrong, or the class would be another
_DIGITS = 4


def find_suspects(by_split: dict[str, Predictions], labels: list[str]) -> list[dict[str, Any]]:
    """Rank the images by the chance that their label is wrong, by what models say that weren't trained on them.

    Copies are left out: their label is their source's. So are labels that the model itself would give, and more than
    half of a class.

    Args:
        by_split: out-of-sample predictions, of any splits.
        labels: class names in the order of their ids.

    Returns:
        The most suspicious first: `filename`, `split`, `given`, `suggested`, `score` (the chance that the given label
        is right; 1 less that is the chance that it is wrong) and `confidence`, the model's in the suggested label.
    """
    found = [predictions.where(~predictions.augmented) for predictions in by_split.values()]
    given = np.concatenate([predictions.labels for predictions in found] or [np.zeros(0, np.int64)])
    if len(np.unique(given)) < 2:
        return []
    probabilities = np.concatenate([predictions.probabilities for predictions in found])
    names = np.concatenate([predictions.names for predictions in found])
    origin = np.repeat(list(by_split), [len(predictions) for predictions in found])
    right, suggested = log_right(probabilities, given)
    most = np.bincount(given, minlength=len(labels)) * _MINORITY
    listed = np.zeros(len(labels))
    rows: list[dict[str, Any]] = []
    for index in sorted(range(len(given)), key=lambda one: (right[one], names[one])):
        label, other = given[index], suggested[index]
        score = round(float(np.exp(right[index])), _DIGITS)
        if score > 1 - _LEAST:
            break
        if listed[label] + 1 >= most[label] or probabilities[index, other] <= probabilities[index, label]:
            continue
        listed[label] += 1
        rows.append(
            {
                "filename": str(names[index]),
                "split": str(origin[index]),
                "given": labels[label],
                "suggested": labels[other],
                "score": score,
                "confidence": float(probabilities[index, other]),
            }
        )
    return rows


def about_suspects(by_split: dict[str, Predictions], shown: int) -> dict[str, Any]:
    """Return what one must know to judge the list.

    Args:
        by_split: as for `find_suspects`.
        shown: how many of the list the report shows and the commands take, the first ones.

    Returns:
        `splits`; `images`, the originals among them; `accuracy` of the model on these, None where there is none;
        `shown`.
    """
    found = [predictions.where(~predictions.augmented) for predictions in by_split.values()]
    images = sum(map(len, found))
    right = sum(int((predictions.predicted == predictions.labels).sum()) for predictions in found)
    return {
        "splits": list(by_split),
        "images": images,
        "accuracy": right / images if images else None,
        "shown": shown,
    }
