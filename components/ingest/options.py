"""Options of ImageIngest."""

from typing import Any, Literal

from pydantic import Field, field_validator

from components.tools.section import FILE, Section


class DataOptions(Section):
    """Where the images are and what to make of those that can't be used."""

    path: str | None = Field(
        None,
        description="folder, or a zip, tar, Parquet file or `fer2013.csv`: path, `s3://…` or `gs://…`; "
        "null: the sample data",
    )
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

    @field_validator("near_duplicates", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        return "off" if value is False else value  # YAML 1.1 reads a bare `off` as false
