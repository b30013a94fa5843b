"""Options of the validation."""

from typing import Literal

from pydantic import Field

from components.tools.section import FILE, Section


class ValidateOptions(Section):
    """What an anomaly in the data does."""

    on_anomaly: Literal["stop", "warn"] = Field("stop", description="stop before training, or go on with a warning")
    schema_path: str | None = Field(
        None,
        alias="schema",
        description="a TFDV schema (text) in place of the one made from labels and image options",
        json_schema_extra=FILE,
    )
