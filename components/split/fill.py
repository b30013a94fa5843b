"""How far balancing fills a class up: where the splits of a class end, what the target is, how many copies may be made.

Exact fractions throughout, so that no count depends on a float.
"""

import math
import statistics
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Literal

# A class is filled up to the largest one, to the median of the classes, or to so many images in the first split.
Target = Literal["largest", "median"] | int


def boundaries(shares: Sequence[Fraction], count: int | Fraction) -> list[int]:
    """Return where the splits of a class of so many images begin and end, halves rounded up: [0, b₁, …, n]."""
    cumulative = (sum(shares[:end], Fraction(0)) / sum(shares) for end in range(len(shares) + 1))
    return [rounded(share * count) for share in cumulative]


def filled(
    target: Target, multiplier: Fraction, shares: Sequence[Fraction], first: Fraction, counts: list[int]
) -> list[int]:
    """Return the images that a class has in each of some splits once it is filled up.

    Args:
        target: what classes are filled up to; a number is that of the images in the first of all splits, and others
            follow from their shares.
        multiplier: of the target.
        shares: of these splits.
        first: share of the first of all splits.
        counts: images of each class in these splits together.
    """
    whole: int | Fraction
    if target == "largest":
        whole = max(counts)
    elif target == "median":
        whole = Fraction(statistics.median(Fraction(count) for count in counts if count))
    else:
        whole = target * sum(shares) / first
    ends = boundaries(shares, whole)
    scaled = [math.ceil(multiplier * end) for end in ends[:-1]]
    last = math.ceil(multiplier * (ends[-1] - ends[-2]))
    return [after - before for before, after in pairwise(scaled)] + [last]


def allowed(copies: int, bound: int | None, sources: int, given: int) -> int:
    """Return how many of the copies that are asked for may be made.

    Args:
        copies: asked for.
        bound: copies of an image; None: any number.
        sources: images to copy.
        given: copies of them that are there already.
    """
    if not sources:
        return 0
    return copies if bound is None else min(copies, max(0, bound * sources - given))


def rounded(value: Fraction) -> int:
    """To the nearest integer, halves up."""
    return math.floor(value + Fraction(1, 2))
