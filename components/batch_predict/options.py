"""Options of predictions at scale."""

from pydantic import Field

from components.tools.section import MOST, Section


class PredictOptions(Section):
    """What is predicted at scale, once a model is pushed."""

    path: str | None = Field(
        None,
        description="images that the pushed model predicts: a folder, Parquet or TFRecord files; path, `s3://…` or "
        "`gs://…`; null: none",
    )
    output: str | None = Field(
        None,
        description="where the predictions go, a folder for each pushed version, in which a run that was interrupted "
        "goes on; null: beside the other artifacts",
    )
    image_column: str | None = Field(
        None,
        description="of Parquet: column of the images' bytes or paths; null: the one that holds bytes, or a usual name",
    )
    id_column: str | None = Field(
        None, description="of Parquet: column of the images' names; null: a usual name, else file and row"
    )
    embeddings: bool = Field(False, description="also write what the classifier sees of each image")
    batch_size: int = Field(64, ge=1, le=MOST, description="images that the model is given at once")
    images_per_shard: int = Field(
        1000, ge=1, le=MOST, description="images in a file of predictions: what is lost at most when a worker is killed"
    )
