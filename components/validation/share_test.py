"""Whether the classes of a split are distributed otherwise than those of the whole, beyond rounding and chance. Pure.

A class differs only where all of this holds:

- *Beyond rounding*: a split gets whole images, so each class may have one more or one less than the split's share of
  it. That share is the one that leaves the fewest images unexplained, and one image a class is forgiven.
- *Large*: what is left makes a difference of more than `MAX_SHARE_DIFFERENCE` in the class's share.
- *Beyond chance*: a split of that size, drawn from the whole at random, would have as unlikely a number of the class
  with a probability below `LEVEL`, all classes taken together (exact hypergeometric test, both sides, Bonferroni).

Of two classes of 100 images each, a test split of 40 drawn with shares of 80 and 20 % is found 98 times in 100, of 30
each 57 times; a split that was drawn at random is taken for a different one 2 to 5 times in 100.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

LEVEL = 0.05
# Of a class's share of a split and its share of the whole.
MAX_SHARE_DIFFERENCE = 0.1
_FORGIVEN = 1.0  # images
# Probabilities that differ by rounding alone are equal.
_EQUAL = 1e-7


@dataclass(frozen=True)
class Difference:
    """A class that a split has too many or too few of.

    Attributes:
        label: the class.
        count: its images in the split.
        images: of the split, all classes.
        share: `count` of `images`.
        expected: the class's share of the whole.
        probability: of a count at least as unlikely in a random split, times the number of comparisons.
    """

    label: str
    count: int
    images: int
    share: float
    expected: float
    probability: float


def differences(split: Mapping[str, int], whole: Mapping[str, int]) -> list[Difference]:
    """Return the classes that differ, sorted.

    Args:
        split: images by class.
        whole: images by class of all splits together, this one included.
    """
    labels = sorted(label for label, count in whole.items() if count)
    inside = np.array([split.get(label, 0) for label in labels], float)
    totals = np.array([whole[label] for label in labels], float)
    images, everything = inside.sum(), totals.sum()
    if not images or images == everything:
        return []
    exact = _without_rounding(inside, totals)
    effects = np.abs(exact / exact.sum() - totals / everything)
    # Of two classes one follows from the other: that is one comparison.
    comparisons = 1 if len(labels) == 2 else len(labels)
    found = []
    for label, count, total, effect in zip(labels, inside, totals, effects, strict=True):
        if effect <= MAX_SHARE_DIFFERENCE:
            continue
        probability = min(1.0, comparisons * chance(int(count), int(images), int(total), int(everything)))
        if probability < LEVEL:
            found.append(Difference(label, int(count), int(images), count / images, total / everything, probability))
    return found


def chance(count: int, drawn: int, marked: int, everything: int) -> float:
    """Return the probability of a count at most as likely as this one (Fisher's exact test, both sides).

    Args:
        count: marked ones among those drawn.
        drawn: how many are drawn, without putting back.
        marked: how many are marked.
        everything: how many there are.
    """
    counts: NDArray[np.float64] = np.arange(
        max(0, drawn + marked - everything), min(drawn, marked) + 1, dtype=np.float64
    )
    logarithms = _log_choose(marked, counts) + _log_choose(everything - marked, drawn - counts)
    logarithms -= _log_choose(everything, np.float64(drawn))
    own = logarithms[count - int(counts[0])]
    return float(min(1.0, np.exp(logarithms[logarithms <= own + _EQUAL]).sum()))


def _without_rounding(inside: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the counts moved by at most one image each towards the share of all classes that explains them best."""
    edges = np.unique(np.clip(np.concatenate([(inside - _FORGIVEN) / totals, (inside + _FORGIVEN) / totals]), 0, 1))
    # What is unexplained is piecewise linear in the share, so it is least at one of the edges.
    left = [float(np.maximum(0, np.abs(inside - edge * totals) - _FORGIVEN).sum()) for edge in edges]
    least = edges[np.isclose(left, min(left), atol=1e-9)]
    expected = float((least[0] + least[-1]) / 2) * totals
    return inside - np.clip(inside - expected, -_FORGIVEN, _FORGIVEN)


def _log_choose(n: int, k: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)  # type: ignore[no-any-return]


def whole_of(splits: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Return the images by class of several splits together."""
    labels = sorted({label for split in splits for label in split})
    return {label: sum(split.get(label, 0) for split in splits) for label in labels}
