"""Parts of what is to be predicted, each of which becomes one shard: small plans that workers read images by.

A part goes through Beam; its images don't. The same part gives the same images in the same order wherever it is read.
"""

import posixpath
import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from components.formats.examples import ENCODED, FILENAME, ID
from components.images.containers.stored_file import StoredFile
from components.images.source import Source

_ROWS = 32  # of a table, in memory at once
_GZIP = b"\x1f\x8b"


class Given(NamedTuple):
    """An image as it is given.

    Attributes:
        id: its name.
        pieces: reads its bytes.
    """

    id: str
    pieces: Callable[[], Generator[bytes]]


class Part(Protocol):
    """What one shard is made from; picklable."""

    @property
    def index(self) -> int:
        """Number of the part, from 0."""

    @property
    def unusable(self) -> tuple[tuple[str, str], ...]:
        """Id and reason of what is known not to be readable."""

    def images(self) -> Iterator[Given]:
        """Yield the images in their order."""


@dataclass(frozen=True)
class FolderPart:
    """Some files of a folder.

    Attributes:
        index: number of the part.
        source: the folder.
        files: ids in it.
        unusable: id and reason of what can't be read, such as links to nowhere.
    """

    index: int
    source: Source
    files: tuple[str, ...]
    unusable: tuple[tuple[str, str], ...] = ()

    def images(self) -> Iterator[Given]:
        """Yield the files."""
        for file_id in self.files:
            yield Given(file_id, partial(self.source.pieces, file_id))


@dataclass(frozen=True)
class TablePart:
    """Some row groups of a Parquet file.

    Attributes:
        index: number of the part.
        uri: of the file.
        name: of the file, for ids.
        row_groups: of it.
        image_column: holds bytes, `{bytes, path}`, or paths, which are relative to the file's folder.
        id_column: holds names; None: a name is made of file and row.
        unusable: nothing is known beforehand.
    """

    index: int
    uri: str
    name: str
    row_groups: tuple[int, ...]
    image_column: str
    id_column: str | None
    unusable: tuple[tuple[str, str], ...] = ()

    def images(self) -> Iterator[Given]:
        """Yield the rows.

        Raises:
            ValueError: the file is damaged.
        """
        columns = list(dict.fromkeys(filter(None, (self.image_column, self.id_column))))
        row = 0
        try:
            with StoredFile(self.uri).opened() as source:
                file = pq.ParquetFile(source)
                sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
                for group in self.row_groups:
                    row = sum(sizes[:group])
                    for batch in file.iter_batches(_ROWS, row_groups=[group], columns=columns, use_threads=False):
                        for values in batch.to_pylist():
                            yield self._given(values, row)
                            row += 1
        except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:  # it isn't there any more, or can't be reached
                raise
            raise ValueError(
                f"{self.name} is damaged at row {row} or behind it: get it again, or take it out "
                f"({type(error).__name__})"
            ) from None

    def _given(self, values: dict[str, Any], row: int) -> Given:
        name = None if self.id_column is None else values[self.id_column]
        return Given(
            f"{self.name}#{row}" if name is None else str(name), partial(self._pieces, values[self.image_column])
        )

    def _pieces(self, value: Any) -> Generator[bytes]:
        data, path = (value.get("bytes"), value.get("path")) if isinstance(value, dict) else (value, value)
        if isinstance(data, bytes):
            yield data
        elif isinstance(path, str) and path:
            yield from StoredFile(_beside(self.uri, path)).pieces()
        else:
            raise FileNotFoundError(None, "the table has neither bytes nor a path of it")


@dataclass(frozen=True)
class RecordPart:
    """A TFRecord file, which can't be cut without reading it.

    Attributes:
        index: number of the part.
        uri: of the file.
        name: of the file, for ids.
        unusable: nothing is known beforehand.
    """

    index: int
    uri: str
    name: str
    unusable: tuple[tuple[str, str], ...] = ()

    def images(self) -> Iterator[Given]:
        """Yield the records.

        Raises:
            ValueError: the file is damaged, or doesn't hold tf.Examples.
        """
        import tensorflow as tf  # which only a worker needs that is given such a file

        with tempfile.TemporaryDirectory() as folder:
            path = StoredFile(self.uri).on_this_machine(Path(folder) / "records")
            with path.open("rb") as file:
                compression = "GZIP" if file.read(len(_GZIP)) == _GZIP else ""
            records = iter(tf.data.TFRecordDataset(str(path), compression).as_numpy_iterator())
            number = 0
            while True:
                try:
                    record = next(records)
                    features = tf.train.Example.FromString(record).features.feature
                except StopIteration:
                    return
                except Exception as error:  # TensorFlow's of damaged files, protobuf's of other records
                    raise ValueError(
                        f"{self.name} is damaged at record {number}, or holds no tf.Examples: get it again, or take it "
                        f"out ({type(error).__name__})"
                    ) from None
                names = [*features[ID].bytes_list.value, *features[FILENAME].bytes_list.value]
                name = names[0].decode("utf-8", "backslashreplace") if names else f"{self.name}#{number}"
                yield Given(name, partial(_encoded, features[ENCODED].bytes_list.value))
                number += 1


def _encoded(values: Any) -> Generator[bytes]:
    if not len(values):
        raise FileNotFoundError(None, f"the record has no {ENCODED}")
    yield values[0]


def _beside(table: str, path: str) -> str:
    """Return where a path of a table's leads: it is relative to the table's folder."""
    return path if "://" in path else posixpath.join(posixpath.dirname(table), path)
