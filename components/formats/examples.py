"""Examples: gzip TFRecords of tf.Example in a folder a split, and the label map beside them.

The features' names are TensorFlow's own where it has one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from components.formats.documents import Document
from components.tools.files import StrPath

ENCODED = "image/encoded"  # bytes that TensorFlow can decode
FORMAT = "image/format"
HEIGHT = "image/height"
WIDTH = "image/width"
CHANNELS = "image/channels"
ID = "image/id"  # the image's path in the data folder; a copy has one of its own
FILENAME = "image/filename"  # the same, under TensorFlow's name
SOURCE_ID = "image/source_id"  # the original's id
LABEL = "image/class/label"  # int64, a place in the label map
TEXT = "image/class/text"
WEIGHT = "image/weight"  # float, what the image counts in the loss; only where labels are unlike sure, or voted on
DISTRIBUTION = "image/class/distribution"  # beside it: floats, the classes' shares of the votes in the order of ids
AUGMENTED = "image/augmented"  # 0: an original, 1: a copy
SHA256 = "image/key/sha256"  # of the source file
GROUP = "image/group"  # images that share it are in one split
METADATA = "image/metadata/"  # before a column's name: what a table says of the image, "" where it says nothing

LABEL_MAP = Document("label_map.json")
_METADATA_COLUMNS = Document("metadata.json")  # beside the label map, where images have metadata


def split_folder(examples: StrPath, split: str) -> Path:
    """Return the folder of a split, under TFX's name for it."""
    return Path(examples) / f"Split-{split}"


def record_name(index: int, count: int) -> str:
    """Return the name of a split's file."""
    return f"data_tfrecord-{index:05d}-of-{count:05d}.gz"


def write_labels(labels: Sequence[str], folder: StrPath, counts: Mapping[str, int] | None = None) -> None:
    """Write the class names in the order of their ids, and beside Examples how many there are in each split."""
    LABEL_MAP.write({"labels": list(labels)} | ({"examples": dict(counts)} if counts else {}), folder)


def read_labels(folder: StrPath) -> list[str]:
    """Read the class names in the order of their ids, beside Examples or in a model's assets."""
    return list(LABEL_MAP.read(folder)["labels"])


def read_counts(folder: StrPath) -> dict[str, int]:
    """Read how many Examples each split has; nothing where the label map doesn't say."""
    return dict(LABEL_MAP.read(folder).get("examples", {}))


def write_metadata_columns(columns: Sequence[str], folder: StrPath) -> None:
    """Write the names of the columns of metadata that Examples have; nothing where they have none."""
    if columns:
        _METADATA_COLUMNS.write({"columns": list(columns)}, folder)


def read_metadata_columns(folder: StrPath) -> list[str]:
    """Read the names of the columns of metadata; none where there are none."""
    return list(_METADATA_COLUMNS.read(folder)["columns"]) if _METADATA_COLUMNS.exists(folder) else []
