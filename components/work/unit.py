"""What a work unit is: a deterministic part of the plan, done anywhere, that returns only counts."""

from collections.abc import Callable
from typing import Any, Protocol

Counts = dict[str, int]


class Unit(Protocol):
    """A part of the plan; small, and picklable."""

    @property
    def index(self) -> int:
        """Number of the unit, from 0."""


class Work(Protocol):
    """What is done with a unit; picklable."""

    def prepare(self) -> Callable[[Any], Counts]:
        """Build, once a worker, the function that does one unit and returns its counts."""


class WorkError(RuntimeError):
    """A unit failed; the message is the cause, without the runner's own."""
