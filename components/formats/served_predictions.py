"""What a served model says of a folder's or a table's images: sharded Parquet, one row an image.

    predictions-00000-of-00004.parquet   images that the model has answered for
    quarantine-00000-of-00004.parquet    files that are no images, or none that the model can decode, and why
    predictions.json                     what they are made from, and in the end what is in them

Each file's metadata holds the class names and the digest of the model, so that a shard can be read by itself.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from components.formats.dataset import ROWS_PER_GROUP, open_shard, shard_paths
from components.formats.documents import Document
from components.formats.version import KEY
from components.tools.files import StrPath

VERSION = 1
PREDICTIONS = "predictions"
QUARANTINE = "quarantine"
SERVED = Document("predictions.json")
_LABELS, _MODEL = b"labels", b"model"
SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # the path within its folder, or what the table calls it
        pa.field("label", pa.string(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),  # of that label
        pa.field("probabilities", pa.list_(pa.float32()), nullable=False),  # in the order of the labels
        pa.field("accepted", pa.bool_()),  # whether the score is enough to answer; null where the model can't say
        pa.field("embedding", pa.list_(pa.float32())),  # what the classifier sees; null unless asked for
        pa.field("brightness", pa.float32(), nullable=False),  # mean luma, 0-255
        pa.field("sharpness", pa.float32(), nullable=False),  # see `components.images.appearance`
        pa.field("width", pa.int32(), nullable=False),  # pixels of the file's picture
        pa.field("height", pa.int32(), nullable=False),
    ]
)
QUARANTINE_SCHEMA = pa.schema(
    [pa.field("id", pa.string(), nullable=False), pa.field("reason", pa.string(), nullable=False)]
)


class ServedPredictions(NamedTuple):
    """Predictions of one model.

    Attributes:
        table: of `SCHEMA`, or the columns that were asked for.
        labels: class names in the order of the probabilities.
        model: digest of the model.
    """

    table: pa.Table
    labels: list[str]
    model: str


def write_served(columns: Any, target: Any, labels: Sequence[str], model: str, schema: pa.Schema = SCHEMA) -> None:
    """Write one shard; the same rows are the same bytes.

    Args:
        columns: values by column's name, of equal length.
        target: a path, or a file that is open for writing.
        labels: class names in the order of the probabilities.
        model: digest of the model.
        schema: `SCHEMA` or `QUARANTINE_SCHEMA`.
    """
    about = {KEY: str(VERSION), _LABELS: json.dumps(list(labels), ensure_ascii=False), _MODEL: model}
    table = pa.Table.from_pydict(columns, schema=schema.with_metadata(about))
    pq.write_table(table, target, row_group_size=ROWS_PER_GROUP, compression="NONE", use_dictionary=["label"])


def read_served(path: StrPath, columns: Sequence[str] | None = None, prefix: str = PREDICTIONS) -> ServedPredictions:
    """Read a shard, or all shards of a folder, in order.

    Args:
        path: the folder or the file.
        columns: of the schema; None for all.
        prefix: which shards of a folder.

    Raises:
        FileNotFoundError: there are none, or some of them are missing.
        NewerFormatError: they are of a later format.
        ValueError: it is another kind of file, or the shards are of several models.
    """
    place = Path(path)
    shards = shard_paths(place, prefix) if place.is_dir() else [place]
    if not shards:
        raise FileNotFoundError(f"there are no predictions (predictions-….parquet) in {place}")
    read = [read_shard(shard, str(shard), columns) for shard in shards]
    first = read[0]
    if any((one.labels, one.model) != (first.labels, first.model) for one in read):
        raise ValueError(f"the shards in {place} are of several models: predict again into an empty folder")
    return ServedPredictions(pa.concat_tables([one.table for one in read]), first.labels, first.model)


def is_shard(name: str) -> bool:
    """Return whether a file's name is that of a shard of predictions, or of what can't be predicted."""
    return re.fullmatch(rf"({PREDICTIONS}|{QUARANTINE})-\d{{5}}-of-\d{{5}}\.parquet", name) is not None


def read_shard(source: Any, where: str, columns: Sequence[str] | None = None) -> ServedPredictions:
    """Read one shard.

    Args:
        source: a path or an open file.
        where: the file, for messages.
        columns: of the schema; None for all.

    Raises:
        NewerFormatError: it is of a later format.
        ValueError: it is another kind of file.
    """
    try:
        with open_shard(source, where, VERSION) as file:
            about = file.schema_arrow.metadata or {}
            if _LABELS not in about or _MODEL not in about:
                raise ValueError(f"{where} holds no predictions: `affect predict --output DIR` writes such files")
            if missing := sorted(set(columns or ()) - set(file.schema_arrow.names)):
                raise ValueError(f"{where} has no column {missing[0]}: `affect predict --output DIR` writes such files")
            # A thread of Arrow's may let go of what it read from a Python file only after this has returned: a process
            # that ends meanwhile aborts.
            table = file.read(columns=None if columns is None else list(columns), use_threads=False)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # it isn't there, or nobody may read it
            raise
        raise ValueError(f"{where} is no Parquet file, or a damaged one: delete it, and predict again") from None
    try:
        return ServedPredictions(table.replace_schema_metadata(), json.loads(about[_LABELS]), about[_MODEL].decode())
    except ValueError:
        raise ValueError(f"{where} doesn't say which classes and model it is of: predict again") from None
