"""The base of all options: one pydantic model a section of the YAML configuration.

Each component receives its sections as JSON, so its cache key holds the options that it reads and no others. Field
descriptions are the configuration reference of the documentation.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

# In a field's `json_schema_extra`: the option names a file or folder, whose content counts as part of the option.
FILE: dict[str, Any] = {"names": "file"}
# Of anything that is counted. More is a slip, and would overflow where libraries take 32 bits.
MOST = 1_000_000


class Section(BaseModel):
    """A section of the configuration; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        annotation = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and annotation in (int, float, int | None, float | None):
            raise ValueError("Input should be a number")
        return value

    def files(self) -> list[str]:
        """Return the files and folders that the options name."""
        named = [name for name, field in type(self).model_fields.items() if field.json_schema_extra == FILE]
        return [path for name in named if isinstance(path := getattr(self, name), str)]
