"""Two samples as sides of one pool of groups, and how their means differ when groups change sides by chance. Pure.

A permutation moves whole groups: the images of one are no independent witnesses. Where groups differ in size, or those
of one sample are larger, chance spreads the permutations otherwise than the samples themselves. So a difference is
measured in standard errors that count what groups tie, by the mean design effect of all columns (Rao & Scott 1981); a
studentised permutation test keeps its level there (Janssen 1997). Where each image is its own group it is exact.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_CONSTANT = 1e-9  # a standard deviation that is none


class Sides:
    """N images of two samples, in G groups, and which groups lie on the second side: in truth, and in B permutations.

    Args:
        groups: [N] numbers; equal for images that aren't independent. No group has images of both samples.
        second: [N] whether an image is of the second sample.
        permutations: B.
        seed: of the permutations.

    Attributes:
        assigned: [1 + B, G] 1 for a group on the second side, else 0; the first row is the truth.
        group_of: [N] the place of each image's group.
    """

    def __init__(self, groups: NDArray[Any], second: NDArray[np.bool_], permutations: int, seed: int) -> None:
        _, first, place, counts = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
        self.group_of = place.reshape(-1)
        truth = second[first]
        chance = np.random.default_rng(seed).permuted(np.tile(truth, (permutations, 1)), axis=1)
        self.assigned = np.vstack([truth[np.newaxis], chance]).astype(np.float64)
        self._sizes = counts.astype(np.float64)
        self._order = np.argsort(self.group_of, kind="stable")
        self._starts = np.concatenate([[0], np.cumsum(counts)[:-1]])

    def differences(self, columns: Floats) -> Floats:
        """Return the largest difference of the sides' means, in standard errors: [1 + B].

        Args:
            columns: [N, D] numbers of each image; a column that is the same for all counts for nothing.
        """
        centred = columns - columns.mean(axis=0)
        spread = centred.std(axis=0)
        kept = spread > _CONSTANT
        if not kept.any():
            return np.zeros(len(self.assigned))
        by_group = self._by_group((centred[:, kept] / spread[kept]).T)
        inside = [self.assigned @ part.T for part in by_group]
        whole = [part.sum(axis=1) for part in by_group]
        return np.asarray(np.abs(self._in_errors(inside, whole)).max(axis=1))

    def differences_of(self, scores: Floats) -> Floats:
        """Return by how much the second side's mean is above the first one's, in standard errors: [1 + B].

        Args:
            scores: [1 + B, N] numbers of each image, others in each permutation.
        """
        centred = scores - scores.mean(axis=1, keepdims=True)
        spread = centred.std(axis=1, keepdims=True)
        by_group = self._by_group(centred / np.where(spread > _CONSTANT, spread, np.inf))
        inside = [(self.assigned * part).sum(axis=1, keepdims=True) for part in by_group]
        whole = [part.sum(axis=1, keepdims=True) for part in by_group]
        return np.asarray(self._in_errors(inside, whole)[:, 0])

    def _by_group(self, values: Floats) -> list[Floats]:
        """Return of [D, N] values by group: sums, their squares, sums times sizes, sums of squares; each [D, G]."""
        ordered = values[:, self._order]
        sums = np.add.reduceat(ordered, self._starts, axis=1)
        return [sums, sums**2, sums * self._sizes, np.add.reduceat(ordered**2, self._starts, axis=1)]

    def _in_errors(self, inside: list[Floats], whole: list[Floats]) -> Floats:
        """Return the differences of [1 + B, D] means in standard errors.

        Args:
            inside: what `_by_group` found, summed over the second side's groups.
            whole: the same, of all groups.
        """
        images, tied = self.assigned @ self._sizes, self.assigned @ self._sizes**2
        parts = [one - some for one, some in zip(whole, inside, strict=True)]
        first = _mean_and_error(parts, self._sizes.sum() - images, (self._sizes**2).sum() - tied)
        second = _mean_and_error(inside, images, tied)
        return (second[0] - first[0]) / np.sqrt(first[1] + second[1])[:, np.newaxis]


def _mean_and_error(parts: list[Floats], images: Floats, tied: Floats) -> tuple[Floats, Floats]:
    """Return a side's means [1 + B, D], and the squared standard error of one whose values have variance 1."""
    sums, squared, crossed, alone = parts
    mean = sums / images[:, np.newaxis]
    of_groups = squared.sum(1) - 2 * (mean * crossed).sum(1) + (mean**2).sum(1) * tied
    of_images = alone.sum(1) - images * (mean**2).sum(1)
    effect = np.where(of_images > _CONSTANT * images, of_groups / np.maximum(of_images, _CONSTANT), 1.0)
    return mean, np.maximum(effect, 1.0) / images
