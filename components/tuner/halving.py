"""Successive halving (Jamieson and Talwalkar, arXiv 1502.07943): which candidates train on, and for how many epochs.

    plan = Halving(costs=[1.0, 2.0, 4.0], epochs=34, budget=2.0)
    while (rung := plan.next_rung()) is not None:
        for candidate in rung.candidates:  # train each to `rung.epochs` epochs in all, from where it stands
            plan.report(candidate, rung.epochs, merit)

Every candidate begins the training that it would have as the winner, so nothing is thrown away but what the others
trained. Costs are counted, not measured: the same results give the same plan on every machine.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from components.tools.wording import counted

FIRST_SHARE = 0.5  # of the budget, for the epochs that all candidates get

Merit = tuple[float, ...]  # compared as tuples; more is better


@dataclass(frozen=True)
class Rung:
    """Which candidates train until how many epochs."""

    candidates: tuple[int, ...]
    epochs: int


class Halving:
    """The state of one search.

    Args:
        costs: of one epoch of each candidate; any unit.
        epochs: of a whole training.
        budget: what the search may cost, in whole trainings of the best candidate.
        first: epochs that all candidates get; None: what half of the budget pays for.

    Attributes:
        alive: numbers of the candidates that weren't dropped, the best first.
        reached: epochs that each candidate has trained.
        merits: of each at its last rung; None where it failed or hasn't trained.
        dropped: why a candidate trains no further, by number.
        spent: cost so far.
    """

    def __init__(self, costs: Sequence[float], epochs: int, budget: float, first: int | None = None) -> None:
        self.costs, self.epochs, self.budget = costs, epochs, budget
        affordable = math.floor(FIRST_SHARE * budget * epochs * min(costs) / sum(costs))
        self.first = min(epochs, max(1, affordable) if first is None else first)
        self.alive = list(range(len(costs)))
        self.reached = [0] * len(costs)
        self.merits: list[Merit | None] = [None] * len(costs)
        self.dropped: dict[int, str] = {}
        self.spent = 0.0

    def next_rung(self) -> Rung | None:
        """Drop the worse half and return who goes on; None when one is left, or no more can be paid for."""
        if not any(self.reached):
            return Rung(tuple(self.alive), self.first)
        self.alive = sorted((one for one in self.alive if self.merits[one] is not None), key=self._order)
        if len(self.alive) < 2:
            return None
        reached = self.reached[self.alive[0]]
        until = min(2 * reached, self.epochs)
        if until == reached:
            self._keep(1, f"not the best at {counted(reached, 'epoch')}")
            return None
        self._keep(math.ceil(len(self.alive) / 2), f"not in the better half at {counted(reached, 'epoch')}")
        while len(self.alive) > 1 and not self._affordable(self.alive, until):
            self._keep(
                len(self.alive) - 1, f"worse at {counted(reached, 'epoch')}, and the budget has no room for both"
            )
        return Rung(tuple(self.alive), until) if len(self.alive) > 1 else None

    def report(self, candidate: int, epochs: int, merit: Merit | None) -> None:
        """Take note of what a candidate is worth after so many epochs; None: it failed."""
        self.spent += (epochs - self.reached[candidate]) * self.costs[candidate]
        self.reached[candidate], self.merits[candidate] = epochs, merit

    def _order(self, candidate: int) -> tuple[Merit, int]:
        return tuple(-value for value in self.merits[candidate] or ()), candidate

    def _keep(self, count: int, reason: str) -> None:
        for candidate in self.alive[count:]:
            self.dropped[candidate] = reason
        self.alive = self.alive[:count]

    def _affordable(self, candidates: Sequence[int], until: int) -> bool:
        further = sum((until - self.reached[one]) * self.costs[one] for one in candidates)
        return self.spent + further <= self.budget * self.epochs * min(self.costs[one] for one in candidates)
