"""Intervals of proportions that say something at the border too, where images may come in groups. Pure.

Wilson's interval (Wilson 1927), on the effective number of images: their number over the design effect (Kish 1965; Dean
& Pagano 2015). 27 right of 27 are 1.000, and as little as 0.875 isn't ruled out.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, norm

LEVEL = 0.95
# Where answers hardly vary, the groups say little of how much they bind. So half a group is added to those that do say
# something, of the largest effect that groups can have: all of a group's answers are the same. Half a group keeps
# nominal 95 % closest to 95 % (tests/benchmarks/coverage.py); a whole one holds more often than it says.
_PRIOR = 0.5


@dataclass(frozen=True)
class Proportion:
    """A share of images, and how much they say.

    Attributes:
        value: the share; 0 where there are no images.
        images: number of images.
        design_effect: how many images say as much as one that is independent of the others.
    """

    value: float
    images: int
    design_effect: float

    @property
    def effective(self) -> float:
        """The number of independent images that would say as much."""
        return self.images / self.design_effect

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Return the lower and the upper bound at a level of confidence; (0, 1) where there are no images."""
        return wilson(self.value, self.effective, level)

    def surely(self, confidence: float) -> float:
        """Return the bound that the true share is above with a confidence; 0 where nothing is known.

        Exact for independent images (Clopper & Pearson 1934), else on the effective number (Korn & Graubard 1998).
        """
        if self.value == 0:
            return 0.0
        hits = self.value * self.effective
        return float(beta.ppf(1 - confidence, hits, self.effective - hits + 1))


def proportion(right: NDArray[np.bool_], groups: NDArray[Any], copies: NDArray[np.bool_]) -> Proportion:
    """Return the share of True.

    Args:
        right: [N], what is counted.
        groups: [N], anything equal for images that aren't independent.
        copies: [N], whether an image is an augmented copy: it says nothing that its source doesn't.
    """
    value = float(right.mean()) if len(right) else 0.0
    return Proportion(value, len(right), design_effect(right.astype(float), groups, copies))


def wilson(share: float, count: float, level: float = LEVEL) -> tuple[float, float]:
    """Return Wilson's interval of a share of `count` independent images, which needn't be a whole number."""
    if count <= 0:
        return 0.0, 1.0
    z = two_sided(level)
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    # At the border the bound is the border, not a rounding error beside it.
    return (0.0 if share == 0 else float(middle - half)), (1.0 if share == 1 else float(middle + half))


def two_sided(level: float) -> float:
    """Return how many standard deviations on either side of the mean hold a share of a normal distribution."""
    return float(norm.ppf((1 + level) / 2))


def design_effect(values: NDArray[np.float64], groups: NDArray[Any], copies: NDArray[np.bool_]) -> float:
    """Return by how much groups inflate the variance of a mean, at least 1.

    That is the variance between groups (Cochran 1977, of a ratio) over that of as many independent images, averaged
    with what it would be if all of a group's values were the same. The first weighs as much as there are groups that
    hold another value than the commonest (the effective number of them, since a large one outweighs the others), the
    second `_PRIOR`. Exactly 1 where each image is a group of its own.

    Args:
        values: [N], of few different ones, such as right and wrong.
        groups: [N], anything equal for images that aren't independent.
        copies: [N], augmented copies: there are never more effective images than others, or groups of copies alone.
    """
    count = len(values)
    if not count:
        return 1.0
    _, index = np.unique(groups, return_inverse=True)
    sizes = np.bincount(index)
    number = len(sizes)
    if number == count:
        return 1.0
    tied = float((sizes**2).sum() / count)
    spread = float(values.var())
    mean = values.mean()
    between = float(((np.bincount(index, values) - mean * sizes) ** 2).sum())
    measured = between / (count * spread) * number / (number - 1) if spread > 0 and number > 1 else 0.0
    kinds, kind = np.unique(values, return_inverse=True)
    others = sizes[np.unique(index[kind != np.bincount(kind, minlength=len(kinds)).argmax()])]
    telling = float(others.sum() ** 2 / (others**2).sum()) if len(others) and number > 1 else 0.0
    effect = (telling * measured + _PRIOR * tied) / (telling + _PRIOR)
    sources = np.maximum(np.bincount(index[~copies], minlength=number), 1).sum()
    return max(1.0, effect, count / float(sources))
