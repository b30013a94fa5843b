"""Options of the Tuner."""

from typing import Any

from pydantic import Field

from components.tools.section import MOST, Section
from components.training.options import ARCHITECTURES, Architecture


class TunerOptions(Section):
    """Which architectures are tried before training, by successive halving."""

    enabled: bool = Field(False, description="run the Tuner")
    architectures: tuple[Architecture, ...] = Field(ARCHITECTURES, min_length=1, description="architectures to try")
    budget: float = Field(
        2.0, gt=0.0, description="what the search may cost, in trainings of the best (by multiplications, not seconds)"
    )
    epochs: int | None = Field(
        None,
        ge=1,
        le=MOST,
        description="epochs that all get before the worse half is dropped; null: half of the budget's",
    )
    search: dict[str, list[Any]] = Field(
        default_factory=dict, description="more to try, e.g. {train.learning_rate: [0.001, 0.003]}"
    )
