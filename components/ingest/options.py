"""Options of ImageIngest."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from components.tools.section import FILE, Section


class DataOptions(Section):
    """Where the images are and what to make of those that can't be used."""

    path: str | None = Field(None, description="folder, `s3://…` or `gs://…`; null: the sample data")
    layout: Literal["auto", "classes", "splits"] = Field(
        "auto", description="what the top folders are; auto: their names and what they hold say it, or an error asks"
    )
    splits: dict[Literal["train", "eval", "test"], str | list[str]] | None = Field(
        None,
        description="folders of each split, such as `{train: Training, test: [Testing, extra]}`; others aren't used",
    )
    follow_links: bool = Field(False, description="follow links that lead out of the folder")
    labels_csv: str | None = Field(
        None, description="CSV with the columns `path` and `label`; overrides folder names", json_schema_extra=FILE
    )
    max_pixels: int = Field(50_000_000, gt=0, description="images with more pixels are not decoded")
    on_bad_image: Literal["quarantine", "error"] = Field("quarantine", description="what an unusable file does")
    near_duplicates: Literal["off", "report", "group"] = Field(
        "report", description="near-duplicates by perceptual hash: ignore, report, or keep in one split"
    )

    def for_ingest(self) -> "DataOptions":
        """Return what ingest reads: where the data lies is a value of the run, and what stays together the split's."""
        near = "off" if self.near_duplicates == "off" else "report"
        return self.model_copy(update={"path": None, "near_duplicates": near})

    def folders(self) -> dict[str, list[str]] | None:
        """Return the folders of each split, if they are named."""
        if self.splits is None:
            return None
        return {split: [names] if isinstance(names, str) else list(names) for split, names in self.splits.items()}

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
