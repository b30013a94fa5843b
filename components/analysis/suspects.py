"""Images whose label is probably wrong, by confident learning (Northcutt et al. 2021, arXiv 1911.00068)."""

from typing import Any

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

from components.scoring.predictions import Predictions


def find_suspects(by_split: dict[str, Predictions], labels: list[str]) -> list[dict[str, Any]]:
    """Rank the images whose given label disagrees with what the model, which wasn't trained on them, is sure of.

    Copies are left out: their label is their source's.

    Args:
        by_split: out-of-sample predictions.
        labels: class names in the order of their ids.

    Returns:
        The most suspicious first: `filename`, `split`, `given`, `suggested`, `score` (the given label's quality, 0 … 1,
        lower is worse) and `confidence` in the suggested label.
    """
    splits = {split: predictions.where(~predictions.augmented) for split, predictions in by_split.items()}
    splits = {split: predictions for split, predictions in splits.items() if len(predictions)}
    if not splits:
        return []
    probabilities = np.concatenate([predictions.probabilities for predictions in splits.values()])
    given = np.concatenate([predictions.labels for predictions in splits.values()])
    names = np.concatenate([predictions.names for predictions in splits.values()])
    origin = np.concatenate([[split] * len(predictions) for split, predictions in splits.items()])
    # cleanlab requires rows that sum to one exactly and classes without gaps.
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    present = np.unique(given)
    if len(present) < 2:
        return []
    shrunk = probabilities[:, present]
    shrunk = np.clip(shrunk, 1e-12, None) / np.clip(shrunk, 1e-12, None).sum(axis=1, keepdims=True)
    ids = np.searchsorted(present, given)
    # As many as confident learning estimates, and those of them whose score, by which they are ranked, is the lowest.
    issues = find_label_issues(ids, shrunk, filter_by="low_self_confidence", n_jobs=1)
    scores = get_label_quality_scores(ids, shrunk)
    order = sorted(np.flatnonzero(issues), key=lambda index: (scores[index], names[index]))
    suggested = probabilities.argmax(axis=1)
    return [
        {
            "filename": str(names[index]),
            "split": str(origin[index]),
            "given": labels[given[index]],
            "suggested": labels[suggested[index]],
            "score": float(scores[index]),
            "confidence": float(probabilities[index].max()),
        }
        for index in order
        if suggested[index] != given[index]
    ]
