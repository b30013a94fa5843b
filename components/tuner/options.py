"""Options of the Tuner."""

from typing import Any

from pydantic import Field

from components.tools.section import Section
from components.training.options import ARCHITECTURES, Architecture


class TunerOptions(Section):
    """Which architectures are tried before training, each under the same budget."""

    enabled: bool = Field(False, description="run the Tuner")
    architectures: tuple[Architecture, ...] = Field(ARCHITECTURES, min_length=1, description="architectures to try")
    epochs: int = Field(12, ge=1, description="epochs a trial")
    search: dict[str, list[Any]] = Field(
        default_factory=dict, description="more to try, e.g. {train.learning_rate: [0.001, 0.003]}"
    )
