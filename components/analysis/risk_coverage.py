"""How many answers are wrong if a model only answers where it is surest (El-Yaniv & Wiener 2010). Pure."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RiskCoverage:
    """The risk at each coverage.

    Attributes:
        risk: [N], share of wrong answers among the surest 1, 2, …, N images.
        best: [N], what it would be if all mistakes had the lowest scores.
    """

    risk: NDArray[np.float64]
    best: NDArray[np.float64]

    @property
    def area(self) -> float:
        """The area under the curve, AURC: the risk, averaged over all coverages; 0 where there are no images."""
        return float(self.risk.mean()) if len(self.risk) else 0.0

    @property
    def excess(self) -> float:
        """By how much the area exceeds the least that so many mistakes allow (Geifman et al. 2019, E-AURC)."""
        return self.area - float(self.best.mean()) if len(self.best) else 0.0


def risk_coverage(scores: NDArray[Any], wrong: NDArray[np.bool_]) -> RiskCoverage:
    """Return the risk at each coverage; mistakes among images of one score are spread over these evenly.

    Args:
        scores: [N], the higher, the surer.
        wrong: [N], whether the answer is.
    """
    count = len(scores)
    numbers = np.arange(1, count + 1)
    kinds, kind = np.unique(-scores, return_inverse=True)
    sizes = np.bincount(kind, minlength=len(kinds))
    mistakes = np.bincount(kind, wrong, minlength=len(kinds))
    so_far = np.cumsum(np.repeat(mistakes / np.maximum(sizes, 1), sizes))
    least = np.maximum(0, numbers - (count - wrong.sum()))
    return RiskCoverage(so_far / numbers, least / numbers)


def curve(found: RiskCoverage, answered: int | None, points: int = 100) -> dict[str, list[float]]:
    """Return the curve at some coverages, for a chart: `coverage`, `risk` and `best`, the coverages ascending.

    Args:
        found: the curve.
        answered: number of images whose coverage must be among them; None for none.
        points: their number at most, without that.
    """
    count = len(found.risk)
    numbers = {max(1, round(count * (index + 1) / points)) for index in range(points)} if count else set()
    numbers |= {answered} if answered else set()
    places = np.array(sorted(numbers), int) - 1
    return {
        "coverage": ((places + 1) / max(count, 1)).tolist(),
        "risk": found.risk[places].tolist(),
        "best": found.best[places].tolist(),
    }
