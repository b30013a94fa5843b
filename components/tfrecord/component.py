"""TFRecordConverter: a split ImageDataset becomes TFX's standard Examples."""

from tfx.types.standard_artifacts import Examples

from components.component import Component, Input, Output
from components.formats.artifacts import Analysis, ImageDataset
from components.tfrecord.executor import Executor


class TFRecordConverter(Component):
    """Write gzip TFRecords of tf.Example, a folder a split, and the label map that goes with them."""

    EXECUTOR = Executor
    INPUTS = {"dataset": Input(ImageDataset, "with the splits train, eval and test")}
    OUTPUTS = {
        "examples": Output(Examples, "`Split-<split>/*.gz`, `label_map.json`, and `metadata.json` with its columns"),
        "labels": Output(Analysis, "`label_map.json` and `metadata.json` alone"),
        "groups": Output(Analysis, "`groups.parquet`: split, class, group, digest, … of every image"),
    }
