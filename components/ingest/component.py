"""ImageIngest: a folder of images becomes an ImageDataset artifact."""

from components.component import Component, Output, Parameter
from components.formats.artifacts import Analysis, ImageDataset
from components.ingest.executor import Executor
from components.ingest.options import DataOptions


class ImageIngest(Component):
    """Scan, check, hash and pack a folder of images; quarantine what can't be used, with a reason."""

    EXECUTOR = Executor
    OUTPUTS = {
        "images": Output(ImageDataset, "every usable image once, its split undecided unless the folder says it"),
        "findings": Output(Analysis, "its `summary.json`, `quarantine.parquet`, `duplicates.parquet`"),
    }
    PARAMETERS = {
        "uri": Parameter(
            str,
            "folder with `train/<label>/…` or `<label>/…`, an object store's prefix, a file of images; several as JSON",
        ),
        "data": Parameter(DataOptions, "what to make of the folder"),
        "data_digest": Parameter(str, "of the folder's content; empty where no runner has looked at it"),
    }
