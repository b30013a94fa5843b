"""Options of ImageIngest."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from pydantic import Field, field_validator, model_validator

from components.images.places import given_places
from components.images.spans import check_pattern, check_until
from components.tools.section import FILE, Section

_T = TypeVar("_T")


class LabelColumns(Section):
    """Names of the columns of `data.labels_csv`, where they aren't usual ones."""

    path: str | None = Field(None, description="image's path; null: a usual name, such as path, pth, image, file_name")
    label: str | None = Field(None, description="class; null: a usual name, such as label, emotion, class")
    confidence: str | None = Field(None, description="how sure the label is; null: confidence or relFCs, if there")
    votes: tuple[str, ...] = Field((), description="in place of `label`: a column of votes for each class")
    unsure: tuple[str, ...] = Field((), description="beside `votes`: columns of votes for no class, such as unknown")

    @model_validator(mode="after")
    def _are_others(self) -> "LabelColumns":
        named = [self.path, self.label, self.confidence, *self.votes, *self.unsure]
        twice = [name for name, count in Counter(filter(None, named)).items() if count > 1]
        if twice:
            raise ValueError(f"data.labels_columns takes each column once. Received: {twice[0]} twice")
        return self


class DataOptions(Section):
    """Where the images are and what to make of those that can't be used."""

    path: str | list[str] | None = Field(
        None,
        description="folder, or a zip, tar, Parquet file or `fer2013.csv`: path, `s3://…` or `gs://…`; several as a "
        "list, dated ones as a pattern, `faces/{YYYY}-{MM}-{DD}` or a part of that; null: the sample data",
    )
    until: str | None = Field(
        None, description="date, such as 2026-11: folders of a pattern in `path` that are later aren't used"
    )
    layout: Literal["auto", "classes", "splits"] = Field(
        "auto", description="what the top folders are; auto: their names and what they hold say it, or an error asks"
    )
    splits: dict[Literal["train", "eval", "test"], str | list[str]] | None = Field(
        None,
        description="folders of each split, such as `{train: Training, test: [Testing, extra]}`; others aren't used",
    )
    follow_links: bool = Field(False, description="follow links that lead out of the folder")
    labels_csv: str | None = Field(
        None, description="table of paths and labels, which override the folders' names", json_schema_extra=FILE
    )
    labels_columns: LabelColumns = LabelColumns()
    label_names: dict[str, str] | str | None = Field(
        None,
        description="class names by what the table has in their place: `{0: neutral, …}`, or a file of two columns",
        json_schema_extra=FILE,
    )
    metadata_csv: str | None = Field(
        None,
        description="table of paths and anything else known of the images, such as camera or age: what to slice by",
        json_schema_extra=FILE,
    )
    metadata_path_column: str | None = Field(
        None, description="its column of the images' paths; null: a usual name, such as path, image, file_name"
    )
    min_confidence: float | None = Field(None, description="images whose label is less sure are left out")
    weigh_by_confidence: bool = Field(False, description="an image counts in the loss as its label is sure")
    max_pixels: int = Field(50_000_000, gt=0, lt=2**31, description="images with more pixels are not decoded")
    on_bad_image: Literal["quarantine", "error"] = Field("quarantine", description="what an unusable file does")
    near_duplicates: Literal["off", "report", "group"] = Field(
        "report", description="near-duplicates by perceptual hash: ignore, report, or keep in one split"
    )

    @property
    def names_file(self) -> str | None:
        """The file of class names, where it is one."""
        return self.label_names if isinstance(self.label_names, str) else None

    def for_ingest(self) -> "DataOptions":
        """Return what ingest reads: where the data lies is a value of the run, and what stays together the split's."""
        near = "off" if self.near_duplicates == "off" else "report"
        return self.model_copy(update={"path": None, "until": None, "near_duplicates": near})

    def places(self) -> tuple[str, ...]:
        """Return the folders that `path` names; none for the sample data."""
        if self.path is None:
            return ()
        return given_places(self.path) if isinstance(self.path, str) else tuple(self.path)

    def folders(self) -> dict[str, list[str]] | None:
        """Return the folders of each split, if they are named."""
        if self.splits is None:
            return None
        return {split: [names] if isinstance(names, str) else list(names) for split, names in self.splits.items()}

    @field_validator("path")
    @classmethod
    def _names_folders(cls, value: str | list[str] | None) -> str | list[str] | None:
        places = [value] if isinstance(value, str) else value
        if places is None:
            return None
        if not places or not all(places):
            raise ValueError("names a folder, or several, none of them empty")
        for place in places:
            _named("data.path", check_pattern, place)
        return value

    @field_validator("until", mode="before")
    @classmethod
    def _is_a_date(cls, value: Any) -> Any:
        return (
            None if value is None else _named("data.until", check_until, str(value))
        )  # YAML reads 2026-11-30 as a date, 2026 as a number

    @field_validator("label_names", mode="before")
    @classmethod
    def _numbers_as_text(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if nameless := [key for key, name in value.items() if name is None or not str(name).strip()]:
            raise ValueError(f"data.label_names gives {nameless[0]} no name. Received: {value}")
        return {str(key): str(name) for key, name in value.items()}

    @model_validator(mode="after")
    def _has_its_table(self) -> "DataOptions":
        needing = {
            "labels_columns": self.labels_columns != LabelColumns(),
            "label_names": self.label_names is not None,
            "min_confidence": self.min_confidence is not None,
            "weigh_by_confidence": self.weigh_by_confidence,
        }
        if self.metadata_csv is None and self.metadata_path_column is not None:
            raise ValueError("data.metadata_path_column is about data.metadata_csv: name that table. Received: null")
        if self.labels_csv is None and any(needing.values()):
            named = next(name for name, given in needing.items() if given)
            raise ValueError(f"data.{named} is about a table of labels: name it by data.labels_csv. Received: null")
        return self

    @field_validator("near_duplicates", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        return "off" if value is False else value  # YAML 1.1 reads a bare `off` as false

    @model_validator(mode="after")
    def _splits_are_folders(self) -> "DataOptions":
        folders = self.folders()
        if folders is None:
            return self
        if self.layout == "classes":
            raise ValueError("data.splits names splits: data.layout must be auto or splits. Received: classes")
        if not folders.get("train"):
            raise ValueError(f"data.splits requires a folder for train. Received: {self.splits}")
        named = [name.strip("/") for names in folders.values() for name in names]
        for one in named:
            inside = [other for other in named if other != one and other.startswith(f"{one}/")]
            if not one or named.count(one) > 1 or inside:
                raise ValueError(f"data.splits takes each folder once, none in another. Received: {self.splits}")
        return self


def _named(option: str, check: Callable[[str], _T], value: str) -> _T:
    """Return what a check of a value says; its error names the option."""
    try:
        return check(value)
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from None
