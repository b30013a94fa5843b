"""The images that lie nearest to others, by the cosine of the angle between their features."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors


class Neighbours(NamedTuple):
    """The k nearest of some images, the nearest first.

    Attributes:
        places: [M, k] among those that were searched.
        similarities: [M, k] cosines.
    """

    places: NDArray[np.int64]
    similarities: NDArray[np.float64]


def nearest(searched: NDArray[np.float32], images: NDArray[np.float32], count: int) -> Neighbours:
    """Return the nearest of N searched rows for each of M images.

    Rows of unit length are as near by their distance d as by their cosine, 1 - d² / 2. scikit-learn goes through both
    in blocks: never M×N numbers are in memory.

    Args:
        searched: [N, F] of unit length.
        images: [M, F] likewise.
        count: k; fewer where there are fewer to search.
    """
    count = min(count, len(searched))
    if not count or not len(images):
        return Neighbours(np.zeros((len(images), 0), np.int64), np.zeros((len(images), 0)))
    search = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(searched)
    distances, places = search.kneighbors(images)
    return Neighbours(places, 1.0 - np.square(distances.astype(np.float64)) / 2.0)
