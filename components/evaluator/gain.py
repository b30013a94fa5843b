"""How much more often one model is right than another on the same images, and whether that may be chance. Pure.

The interval of the difference is Bonett & Price's (2012), Wald's with one more image in each cell: it says something
where no image is answered differently, too. Where groups tie images, all counts are divided by the design effect.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from components.tools.proportions import design_effect, two_sided

_MOST_IMAGES = 10**9


@dataclass(frozen=True)
class Gain:
    """The gain in accuracy over another model.

    Attributes:
        images: number of images that both were asked.
        only_candidate: how many the new model alone has right.
        only_baseline: how many the other alone has right.
        design_effect: how many images say as much as one that is independent of the others.
        level: of confidence that the true gain is within the interval.
    """

    images: int
    only_candidate: int
    only_baseline: int
    design_effect: float
    level: float

    @property
    def value(self) -> float:
        """The difference of the accuracies."""
        return (self.only_candidate - self.only_baseline) / max(self.images, 1)

    @property
    def low(self) -> float:
        """The interval's lower bound."""
        return self._interval(self.images)[0]

    @property
    def high(self) -> float:
        """The interval's upper bound."""
        return self._interval(self.images)[1]

    @property
    def chance(self) -> float | None:
        """How probable such a difference is between equally good models, two-sided: McNemar's exact test.

        None where groups tie images, for which it doesn't hold.
        """
        if self.design_effect > 1:
            return None
        fewer, both = min(self.only_candidate, self.only_baseline), self.only_candidate + self.only_baseline
        return min(1.0, 2 * float(binom.cdf(fewer, both, 0.5)))

    def images_to_exceed(self, least: float) -> int | None:
        """Return how many images like these would show that the gain exceeds `least`; None if none would."""
        if self.value <= least:
            return None
        low, high = 1, 2
        while high < _MOST_IMAGES and self._interval(high)[0] <= least:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._interval(middle)[0] <= least else (low, middle)
        return high if high < _MOST_IMAGES else None

    def describe(self) -> str:
        """Return a sentence on the gain and its interval."""
        judged = "beyond chance" if self.low > 0 else "a loss beyond chance" if self.high < 0 else "it may be chance"
        span = f"{self.low:+.3f} to {self.high:+.3f} with {self.level:.4g} confidence"
        exact = "" if self.chance is None else f", p {self.chance:.2g}"
        return f"Gain {self.value:+.3f} ({span}{exact}): {judged}."

    def as_json(self) -> dict[str, Any]:
        """Return it for `results.json`."""
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "method": "bonett-price",
            "level": self.level,
            "design_effect": self.design_effect,
            "effective": self.images / self.design_effect,
            "only_candidate": self.only_candidate,
            "only_baseline": self.only_baseline,
            "mcnemar_p": self.chance,
        }

    def _interval(self, images: int) -> tuple[float, float]:
        """Return what the interval would be for so many images, answered in the same shares."""
        count = images / self.design_effect
        share = count / max(self.images, 1)
        gained = (self.only_candidate * share + 1) / (count + 2)
        lost = (self.only_baseline * share + 1) / (count + 2)
        middle = gained - lost
        half = two_sided(self.level) * math.sqrt((gained + lost - middle**2) / (count + 2))
        return max(-1.0, middle - half), min(1.0, middle + half)


def paired_gain(
    candidate: NDArray[np.bool_],
    baseline: NDArray[np.bool_],
    groups: NDArray[Any],
    copies: NDArray[np.bool_],
    level: float,
) -> Gain:
    """Return the gain of a model over another.

    Args:
        candidate: [N], whether it is right on each image.
        baseline: [N], whether the other is.
        groups: [N], anything equal for images that aren't independent.
        copies: [N], whether an image is an augmented copy.
        level: of confidence, between 0 and 1.
    """
    difference = candidate.astype(float) - baseline.astype(float)
    return Gain(
        len(difference),
        int((difference > 0).sum()),
        int((difference < 0).sum()),
        design_effect(difference, groups, copies),
        level,
    )


def missed(gain: Gain, least: float, where: str) -> list[dict[str, Any]]:
    """Return what is wrong with a gain that doesn't surely exceed `least`, as `read_blessing` does.

    Args:
        gain: measured, with the level of confidence that is asked for.
        least: what its lower bound must exceed.
        where: where the models were compared, if not on the whole test split.
    """
    if gain.low > least:
        return []
    needed = gain.images_to_exceed(least)
    remedy = (
        f"about {needed:,} test images like these {gain.images:,} would show that gain"
        if needed is not None
        else "no number of test images would show more than is there"
    )
    text = (
        f"test accuracy differs by {gain.value:+.3f} from the pushed model's{where}, but with {gain.level:.4g} "
        f"confidence only by at least {gain.low:+.3f}, and more than {least:+.3f} is required: "
        f"{least - gain.low:.3f} is missing; {remedy}"
    )
    return [{"metric": "gain", "change": True, "value": gain.low, "bound": least, "text": text}]
