"""Can a classifier tell two samples apart by what a network sees of them? (Lopez-Paz & Oquab, arXiv 1610.06545.) Pure.

Ridge regression on which side an image lies is asked for images of groups that it wasn't fitted on. It has a closed
form, so it is fitted anew for every permutation: what it finds by chance alone is known, not assumed.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from pipeline.drift.sides import Floats, Sides

_FOLDS = 5
_DIRECTIONS = 64  # of the features' variance, the largest: the others hold noise, and cost time
_PENALTY = 0.01  # of the mean variance of a direction


def held_out_scores(features: NDArray[np.float32], sides: Sides, seed: int) -> Floats:
    """Return how much each image looks like the second side's, by a classifier that has not seen its group.

    Args:
        features: [N, F].
        sides: of these N images.
        seed: of the folds and the directions.

    Returns:
        [1 + B, N]: for the truth, and for each permutation.
    """
    count = min(_DIRECTIONS, *features.shape)
    points = PCA(count, svd_solver="randomized", random_state=seed).fit_transform(features.astype(np.float64))
    targets = sides.assigned[:, sides.group_of]
    fold_of = np.random.default_rng(seed).permutation(sides.assigned.shape[1]) % _FOLDS
    fold_of = fold_of[sides.group_of]
    penalty = _PENALTY * points.var(axis=0).mean() + np.finfo(float).tiny
    scores = np.zeros(targets.shape)
    for fold in range(_FOLDS):
        asked, known = fold_of == fold, fold_of != fold
        target = targets[:, known] - targets[:, known].mean(axis=1, keepdims=True)
        covariance = points[known].T @ points[known] / known.sum() + penalty * np.eye(count)
        weights = np.linalg.solve(covariance, points[known].T @ target.T / known.sum())
        scores[:, asked] = (points[asked] @ weights).T
    return scores
