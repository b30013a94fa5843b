"""Options of SplitBalanceAugment."""

import re
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from components.formats.dataset import Split
from components.split.fill import Target
from components.tools.section import FILE, MOST, Section


class SplitOptions(Section):
    """How the images are divided; the three shares sum to 1."""

    train: float = Field(0.7, gt=0.0, lt=1.0, description="share of the images to train on")
    eval: float = Field(0.1, gt=0.0, lt=1.0, description="share for early stopping and tuning")
    test: float = Field(0.2, gt=0.0, lt=1.0, description="share that only the evaluation sees")
    seed: int = Field(27, ge=0, lt=2**63, description="decides the split and the augmented copies, apart from `seed`")
    assignment: Literal["exact", "stable"] | None = Field(
        None,
        description="exact: shares hold for each class; stable: by hash, so that no image moves as others come; "
        "null: stable where `data.path` is several folders, else exact",
    )
    group_regex: str | None = Field(
        None, description="first capture in the file name: images that share it stay in one split"
    )
    group_on: Literal["name", "path"] = Field(
        "name",
        description="search `group_regex` in the file name, or in the path below the data folder that it lies in",
    )

    @field_validator("group_regex")
    @classmethod
    def _captures_something(cls, value: str | None) -> str | None:
        try:
            captures = value is None or re.compile(value).groups > 0
        except re.error as error:
            raise ValueError(f"not a regular expression ({error})") from None
        if not captures:
            raise ValueError("a group in parentheses must capture what keeps images together")
        return value

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> "SplitOptions":
        total = self.train + self.eval + self.test
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"split.train + split.eval + split.test must be 1. Received: {total:g}")
        return self


class BalanceOptions(Section):
    """Which splits are filled up with augmented copies until all classes are equal."""

    splits: tuple[Split, ...] = Field(("train",), description="splits to balance; [] for none")
    global_multiplier: float = Field(1.0, ge=1.0, le=MOST, description="images per class, relative to `target`")
    target: Target = Field(
        "largest",
        description="what classes are filled up to: the `largest` of them, their `median`, or so many images in train, "
        "in other splits as many as their shares say; what a class has beyond that, it keeps",
    )
    max_copies_per_image: int | None = Field(
        5, ge=1, le=MOST, description="copies of an image at most, for the rest see `train.imbalance`; null: any number"
    )

    @field_validator("target", mode="before")
    @classmethod
    def _is_a_target(cls, value: Any) -> Any:
        if value in ("largest", "median") or (
            isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST
        ):
            return value
        raise ValueError("Input should be largest, median or a number of images, from 1 to 1,000,000")


class AugmentOptions(Section):
    """How an augmented copy is made."""

    pipeline_yaml: str | None = Field(
        None, description="an `A.Compose` saved by `A.save`; null: the default pipeline", json_schema_extra=FILE
    )
    encoding: Literal["jpeg", "png"] = Field("jpeg", description="format of the copies")
    jpeg_quality: int = Field(95, ge=1, le=100, description="JPEG quality of the copies")
