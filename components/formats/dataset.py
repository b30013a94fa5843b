"""The payload of an ImageDataset: sharded Parquet, one row an image, beside a small `summary.json`.

Shards are named like `images-00000-of-00004.parquet` (ingest) or `train-00000-of-00004.parquet` (after the split).
Every file is written under a temporary name and then renamed, so a reader never sees half of one.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from components.formats.version import KEY, check_version
from components.tools.files import replacing

# 2: before the split, `group` is what ties copies together, no longer the finished group.
VERSION = 2
QUARANTINE = "quarantine.parquet"  # of ingest: files that can't be used, and why
DUPLICATES = "duplicates.parquet"  # of ingest: images that are equal, or nearly
NEAR_DUPLICATES = "near_duplicates.parquet"  # of ModelExplanation: images of two splits that look the same to a model
Split = Literal["train", "eval", "test"]
SPLITS: tuple[Split, ...] = ("train", "eval", "test")
SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("image", pa.binary(), nullable=False),
        pa.field("format", pa.string(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("channels", pa.int32(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
        pa.field("pixels", pa.string(), nullable=False),
        pa.field("phash", pa.int64()),
        pa.field("brightness", pa.float32(), nullable=False),
        pa.field("group", pa.string(), nullable=False),
        pa.field("source_id", pa.string(), nullable=False),
        pa.field("copy", pa.int32(), nullable=False),
        pa.field("filename", pa.string(), nullable=False),
        pa.field("weight", pa.float32()),
        pa.field("votes", pa.map_(pa.string(), pa.float32())),
        pa.field("metadata", pa.map_(pa.string(), pa.string())),
    ],
    metadata={KEY: str(VERSION)},
)
# Of a row group, which is held in memory while it is written or read: rows, or bytes of images.
ROWS_PER_GROUP = 256
BYTES_PER_GROUP = 16_000_000
# Everything but the bytes: what planning a split needs of an image.
PLAN_COLUMNS = tuple(name for name in SCHEMA.names if name != "image")
_SHARD = re.compile(r"^(?P<prefix>[a-z_]+)-(?P<index>\d{5})-of-(?P<count>\d{5})\.parquet$")


@dataclass(frozen=True)
class ImageRow:
    """One image.

    Attributes:
        id: path relative to the data folder; unique. A copy has one of its own.
        label: class name.
        split: "train", "eval", "test", or "" where it is still to be decided.
        image: encoded bytes that TensorFlow can decode.
        format: of those bytes: "jpeg", "png" or "bmp".
        height: pixels.
        width: pixels.
        channels: 1 (grey) or 3 (RGB).
        sha256: of the source file's bytes, hex.
        pixels: digest of the decoded pixels, hex.
        phash: 64-bit perceptual hash as a signed integer; None without contrast.
        brightness: mean luma, 0–255.
        group: images that share it stay in one split. Before the split: what ties it to its copies, its source's
            id as a rule; see `components.ingest.copies`.
        source_id: the original's id; its own for an original.
        copy: 0 for an original, n ≥ 1 for its n-th augmented copy.
        filename: file name without folders.
        weight: what the image counts in the loss; None as any other.
        votes: each class's share of the votes on the label, sorted by class; None where nobody voted.
        metadata: what a table says of it, value by column in the table's order, "" for what isn't given; all images of
            a data set have the same columns, or None.
    """

    id: str
    label: str
    split: str
    image: bytes
    format: str
    height: int
    width: int
    channels: int
    sha256: str
    pixels: str
    phash: int | None
    brightness: float
    group: str
    source_id: str
    copy: int
    filename: str
    weight: float | None = None
    votes: tuple[tuple[str, float], ...] | None = None
    metadata: tuple[tuple[str, str], ...] | None = None


_FIELDS = tuple(field.name for field in fields(ImageRow))


def shard_name(prefix: str, index: int, count: int) -> str:
    """Return `prefix-00000-of-00004.parquet`."""
    return f"{prefix}-{index:05d}-of-{count:05d}.parquet"


def shard_paths(folder: str | os.PathLike[str], prefix: str) -> list[Path]:
    """Return the shards of that prefix, in order; none if there are none.

    Raises:
        FileNotFoundError: a shard of the set is missing.
    """
    found = {}
    for path in Path(folder).iterdir():
        match = _SHARD.match(path.name)
        if match and match["prefix"] == prefix:
            found[int(match["index"])] = (path, int(match["count"]))
    counts = {count for _, count in found.values()}
    if found and (len(counts) != 1 or len(found) != counts.pop()):
        raise FileNotFoundError(f"shards of {prefix} are missing in {folder}. Received: {sorted(found)}")
    return [found[index][0] for index in sorted(found)]


def write_shard(rows: Iterable[ImageRow], path: str | os.PathLike[str]) -> int:
    """Write rows as one Parquet file, a row group in memory at a time, and return their number."""
    columns: dict[str, list[Any]] = {name: [] for name in _FIELDS}
    count = size = 0
    with _writer(SCHEMA, path) as writer:

        def flush() -> None:
            writer.write_table(pa.Table.from_pydict(columns, schema=SCHEMA))
            for values in columns.values():
                values.clear()

        for row in rows:
            for name in _FIELDS:
                columns[name].append(getattr(row, name))
            count += 1
            size += len(row.image)
            if len(columns["id"]) == ROWS_PER_GROUP or size >= BYTES_PER_GROUP:
                flush()
                size = 0
        if columns["id"] or not count:
            flush()
    return count


def write_table(table: pa.Table, path: str | os.PathLike[str]) -> None:
    """Write any table as Parquet under a temporary name, then rename it; as format 1 unless its schema has a number."""
    table = table.replace_schema_metadata({KEY: "1", **(table.schema.metadata or {})})
    with _writer(table.schema, path) as writer:
        writer.write_table(table, row_group_size=ROWS_PER_GROUP)


def read_table(path: str | os.PathLike[str]) -> pa.Table:
    """Read a table of format 1.

    Raises:
        NewerFormatError: it is of a later format.
    """
    with open_shard(path, os.fspath(path), 1) as file:
        return file.read()


@contextmanager
def _writer(schema: pa.Schema, path: str | os.PathLike[str]) -> Iterator[pq.ParquetWriter]:
    """Write under a temporary name, and rename when it is done.

    Encoded images don't compress, and a dictionary of unique values only costs: the image column is stored plain.
    """
    dictionary = [name for name in schema.names if name in ("label", "split", "format")]
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="NONE", use_dictionary=dictionary) as writer,
    ):
        yield writer


def open_shard(source: Any, where: str, newest: int = VERSION) -> pq.ParquetFile:
    """Open a Parquet file of ours, a shard unless said otherwise.

    Args:
        source: a path or an open file.
        where: the file, for the message.
        newest: the newest format that can be read.

    Raises:
        NewerFormatError: it is of a later format.
    """
    file = pq.ParquetFile(source)
    found = (file.schema_arrow.metadata or {}).get(KEY.encode())
    check_version(None if found is None else found.decode(), newest, where)
    return file


def read_shard(path: str | os.PathLike[str]) -> Iterator[ImageRow]:
    """Yield the rows of one shard, a row group in memory at a time."""
    with open_shard(path, str(path)) as file:
        for batch in read_batches(file, range(file.num_row_groups)):
            for row in batch.to_pylist():
                yield row_of(row)


def row_of(values: Mapping[str, Any]) -> ImageRow:
    """Return the row of a record as pyarrow reads it."""
    maps = {name: None if (one := values.get(name)) is None else tuple(one) for name in ("votes", "metadata")}
    return ImageRow(**{**values, **maps})


def read_batches(file: pq.ParquetFile, row_groups: Iterable[int]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of some row groups of a shard; no batch holds rows of two: they may be large.

    In one thread: it is faster for as few bytes, and Arrow's others hold on to a Python file's for a while.
    """
    for group in row_groups:
        yield from file.iter_batches(ROWS_PER_GROUP, row_groups=[group], columns=list(_FIELDS), use_threads=False)


def read_columns(folder: str | os.PathLike[str], prefix: str, columns: Sequence[str] = PLAN_COLUMNS) -> pa.Table:
    """Return the named columns of all shards of that prefix, as one table in shard order."""
    paths = shard_paths(folder, prefix)
    if not paths:
        return SCHEMA.empty_table().select(list(columns))
    tables = []
    for path in paths:
        with open_shard(path, str(path)) as file:
            tables.append(file.read(columns=list(columns)))
    return pa.concat_tables(tables)
