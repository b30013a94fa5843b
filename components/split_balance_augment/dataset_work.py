"""Work units of the pipeline's stage: some row groups of an input shard in, one shard of each split out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from numpy.typing import NDArray

from components.augment.augmenter import Augmenter
from components.augment.transforms import Image
from components.formats.dataset import (
    BYTES_PER_GROUP,
    ROWS_PER_GROUP,
    SCHEMA,
    ImageRow,
    open_shard,
    read_batches,
    row_of,
)
from components.images.appearance import brightness
from components.images.codec import decode, encode
from components.images.names import copy_extension, copy_name
from components.images.room import Room
from components.work.unit import Counts

_COPIES_AT_A_TIME = 32


@dataclass(frozen=True)
class ParquetUnit:
    """A part of the plan.

    Attributes:
        index: number of the unit.
        shard: URI of the input shard.
        row_groups: of it.
        splits: each row's split, as an index into the work's `splits`.
        copies: copies to make of each row.
        groups: by row, where it isn't the row's own digest of pixels, as that of a row alone is.
        variants: by row, where the copies' plain names are taken; see `components.images.names`.
        outputs: URI of the file for each split that has rows here.
    """

    index: int
    shard: str
    row_groups: tuple[int, ...]
    splits: NDArray[np.int8]
    copies: NDArray[np.int32]
    groups: dict[int, str]
    variants: dict[int, int]
    outputs: dict[str, str]


@dataclass(frozen=True)
class ParquetWork:
    """How units are done.

    Attributes:
        splits: names of the splits.
        seed: of the copies.
        pipeline_yaml: text of a custom pipeline, or None.
        encoding: of the copies.
        quality: of the copies, if JPEG.
    """

    splits: tuple[str, ...]
    seed: int
    pipeline_yaml: str | None
    encoding: Literal["jpeg", "png"]
    quality: int

    def prepare(self) -> Callable[[ParquetUnit], Counts]:
        """Build the augmenter, once a worker."""
        augmenter = Augmenter(self.seed, self.pipeline_yaml)
        return lambda unit: self._do(unit, augmenter)

    def _do(self, unit: ParquetUnit, augmenter: Augmenter) -> Counts:
        counts = {"originals": 0, "copies": 0, "resized": 0}
        writers = {split: _Writer(uri) for split, uri in unit.outputs.items()}
        start = 0
        with FileSystems.open(unit.shard, compression_type=CompressionTypes.UNCOMPRESSED) as source:
            for batch in read_batches(open_shard(source, unit.shard), unit.row_groups):
                rows = slice(start, start + batch.num_rows)
                start += batch.num_rows
                digests = enumerate(batch["pixels"].to_pylist(), rows.start)
                groups = np.array([unit.groups.get(row, digest) for row, digest in digests], object)
                for code, split in enumerate(self.splits):
                    indices = np.flatnonzero(unit.splits[rows] == code)
                    if len(indices) == 0:
                        continue
                    writers[split].originals(batch.take(pa.array(indices)), split, groups[indices].tolist())
                    counts["originals"] += len(indices)
                    sources = indices[unit.copies[rows][indices] > 0]
                    selected = batch.take(pa.array(sources)).to_pylist()
                    for index, values in zip(sources.tolist(), selected, strict=True):
                        row = row_of({**values, "group": groups[index]})
                        variant = unit.variants.get(rows.start + index, 1)
                        for copies in self._copies(row, int(unit.copies[rows][index]), variant, augmenter):
                            writers[split].copies(copies, row, split, self.encoding)
                            counts["copies"] += len(copies)
                            resized = [copy for copy in copies if (copy.height, copy.width) != (row.height, row.width)]
                            counts["resized"] += len(resized)
        for writer in writers.values():
            writer.close()
        return counts

    def _copies(self, row: ImageRow, count: int, variant: int, augmenter: Augmenter) -> "Iterator[list[_Copy]]":
        """Yield a source's copies, some at a time: of a class of few images, there may be thousands of each."""
        extension = copy_extension(row.id, self.encoding)
        with Room() as room:
            room.take(row.height * row.width)
            images = enumerate(augmenter.copies(_pixels(row), row.sha256, count), start=1)
            while some := [
                _Copy(
                    id=copy_name(row.id, number, extension, variant),
                    image=encode(image, self.encoding, self.quality, subsampled=True),
                    height=image.shape[0],
                    width=image.shape[1],
                    brightness=brightness(image),
                    copy=number,
                )
                for number, image in islice(images, _COPIES_AT_A_TIME)
            ]:
                yield some


class _Copy(NamedTuple):
    """What a copy doesn't share with its source's other copies."""

    id: str
    image: bytes
    height: int
    width: int
    brightness: float
    copy: int


def _pixels(row: ImageRow) -> Image:
    """Return the picture of a row, grey or RGB: what OpenCV decodes, in a third less time than with Pillow's checks.

    Ingest has let through only bytes that all decoders show alike.
    """
    if row.format not in ("jpeg", "png", "bmp"):
        return decode(row.image).pixels
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    image = cv2.imdecode(np.frombuffer(row.image, np.uint8), flags)
    if image is None:
        raise ValueError(f"{row.id} can no longer be decoded")
    return image


class _Writer:
    """Writes one shard row group by row group, under a temporary name first."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._file = FileSystems.create(f"{uri}.tmp", compression_type=CompressionTypes.UNCOMPRESSED)
        dictionary = ["label", "split", "format"]
        self._writer = pq.ParquetWriter(self._file, SCHEMA, compression="NONE", use_dictionary=dictionary)
        self._batches: list[Any] = []
        self._columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
        self._rows = self._bytes = 0

    def originals(self, batch: Any, split: str, groups: list[str]) -> None:
        """Add rows as they are, but for their split and their groups."""
        self._flush_copies()
        table = pa.Table.from_batches([batch]).select(SCHEMA.names)
        for name, values in (("split", [split] * table.num_rows), ("group", groups)):
            column = pa.array(values, pa.string())
            table = table.set_column(SCHEMA.get_field_index(name), SCHEMA.field(name), column)
        self._batches.append(table.cast(SCHEMA))
        self._rows += table.num_rows
        self._bytes += table.nbytes
        self._flush_if_full()

    def copies(self, copies: list[_Copy], source: ImageRow, split: str, encoding: str) -> None:
        """Add a source's copies."""
        count = len(copies)
        shared = {
            "label": source.label,
            "split": split,
            "format": encoding,
            "channels": 3,
            "sha256": source.sha256,
            "pixels": "",  # nobody looks for duplicates among copies
            "phash": None,
            "group": source.group,
            "source_id": source.id,
            "weight": source.weight,
            "votes": source.votes,
            "metadata": source.metadata,
        }
        for name, value in shared.items():
            self._columns[name] += [value] * count
        for name, values in zip(_Copy._fields, zip(*copies, strict=True), strict=True):
            self._columns[name] += values
        self._columns["filename"] += [copy.id.rpartition("/")[2] for copy in copies]
        self._rows += count
        self._bytes += sum(len(copy.image) for copy in copies)
        self._flush_if_full()

    def close(self) -> None:
        """Write what is left and give the file its name."""
        self._flush()
        self._writer.close()
        self._file.close()
        FileSystems.rename([f"{self._uri}.tmp"], [self._uri])

    def _flush_copies(self) -> None:
        if self._columns["id"]:
            self._batches.append(pa.Table.from_pydict(self._columns, schema=SCHEMA))
            self._columns = {name: [] for name in SCHEMA.names}

    def _flush_if_full(self) -> None:
        if self._rows >= 2 * ROWS_PER_GROUP or self._bytes >= BYTES_PER_GROUP:
            self._flush()

    def _flush(self) -> None:
        self._flush_copies()
        if self._batches:
            table = pa.concat_tables(self._batches)
            for start in range(0, table.num_rows, ROWS_PER_GROUP):
                self._writer.write_table(table.slice(start, ROWS_PER_GROUP))
        self._batches, self._rows, self._bytes = [], 0, 0
