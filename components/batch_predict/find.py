"""Find what is to be predicted: a folder of images, Parquet files, or TFRecord files, and cut it into parts."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from components.batch_predict.options import PredictOptions
from components.batch_predict.parts import FolderPart, Part, RecordPart, TablePart
from components.images.containers.other_data import is_named_like_an_image
from components.images.containers.read_parquet import holds_bytes, image_column
from components.images.containers.stored_file import StoredFile
from components.images.source import Source, SourceError, open_source

_TABLE, _RECORD = ".parquet", "tfrecord"
_PATH_COLUMNS = ("path", "file", "file_name", "filename", "image_path", "image", "img", "uri")
_ID_COLUMNS = ("id", "image_id", *_PATH_COLUMNS)


@dataclass(frozen=True)
class Found:
    """What is to be predicted.

    Attributes:
        parts: in order; the same images give the same parts.
        images: how many there are; None where only reading them tells.
        digest: of the images, by what their store says of them.
    """

    parts: Sequence[Part]
    images: int | None
    digest: str


def find(uri: str, options: PredictOptions) -> Found:
    """Look at what a path or URI names, without reading an image.

    Args:
        uri: a folder of images, or of Parquet or TFRecord files, or one such file.
        options: names of columns, images in a part.

    Raises:
        SourceError: there is nothing, or nothing that can be predicted.
    """
    file = StoredFile(uri.removeprefix("file://"))
    if (not file.is_remote or _kind(file.name)) and file.is_there():
        return _of_files({file.name: file.uri}, uri, options)
    source = open_source(uri)
    listing = source.list()
    files = listing.files
    by_kind = {kind: [one for one in files if _kind(one) == kind] for kind in (_TABLE, _RECORD)}
    given = [kind for kind, found in by_kind.items() if found]
    if given and not any(map(is_named_like_an_image, files)):
        if len(given) > 1:
            raise SourceError(f"{uri} holds Parquet as well as TFRecord files: name a folder or a file of one kind")
        root = uri.rstrip("/")
        return _of_files({name: f"{root}/{name}" for name in by_kind[given[0]]}, uri, options)
    entries = sorted([*((file_id, None) for file_id in files), *listing.unusable], key=lambda entry: entry[0])
    if not entries:
        raise SourceError(f"there are no images in {uri}")
    stamps = [(file_id, stamp.size, stamp.tag) for file_id, stamp in sorted(listing.stamps.items())]
    return Found(list(_folder_parts(source, entries, options)), len(entries), _digest([stamps, entries]))


def _kind(name: str) -> str:
    lower = PurePosixPath(name).name.lower()
    return _TABLE if lower.endswith(_TABLE) else _RECORD if _RECORD in lower else ""


def _folder_parts(
    source: Source, entries: Sequence[tuple[str, str | None]], options: PredictOptions
) -> Iterator[FolderPart]:
    for index, start in enumerate(range(0, len(entries), options.images_per_shard)):
        some = entries[start : start + options.images_per_shard]
        files = tuple(file_id for file_id, reason in some if reason is None)
        unusable = tuple((file_id, reason) for file_id, reason in some if reason is not None)
        yield FolderPart(index, source, files, unusable)


def _of_files(files: dict[str, str], uri: str, options: PredictOptions) -> Found:
    kinds = {_kind(name) for name in files}
    if kinds not in ({_TABLE}, {_RECORD}):
        raise SourceError(
            f"{uri} can't be predicted: give a folder of images, Parquet files (….parquet), or TFRecord files, which "
            "have tfrecord in their names; unpack an archive first"
        )
    stamps = [(name, (stamp := StoredFile(path).stamp()).size, stamp.tag) for name, path in sorted(files.items())]
    if kinds == {_RECORD}:
        parts: list[Part] = [RecordPart(index, files[name], name) for index, name in enumerate(sorted(files))]
        return Found(parts, None, _digest(stamps))
    images = 0
    parts = []
    for name in sorted(files):
        schema, sizes = _table(files[name], name)
        images += sum(sizes)
        columns = _image_column(schema, name, options), _id_column(schema, name, options)
        groups = _cut(sizes, options.images_per_shard)
        parts += [TablePart(len(parts) + place, files[name], name, some, *columns) for place, some in enumerate(groups)]
    if not images:
        raise SourceError(f"there are no rows in {uri}")
    return Found(parts, images, _digest(stamps))


def _table(path: str, name: str) -> tuple[pa.Schema, list[int]]:
    try:
        with StoredFile(path).opened() as source:
            file = pq.ParquetFile(source)
            groups = range(file.num_row_groups)
            return file.schema_arrow, [file.metadata.row_group(group).num_rows for group in groups]
    except pa.ArrowException as error:
        raise SourceError(f"{name} can't be read as Parquet ({str(error).rstrip('.')}): get it again") from None


def _cut(sizes: Iterable[int], most: int) -> Iterator[tuple[int, ...]]:
    """Yield row groups that lie behind each other, as many as have about that many rows; one of more is not cut."""
    some: list[int] = []
    rows = 0
    for group, size in enumerate(sizes):
        if some and rows + size > most:
            yield tuple(some)
            some, rows = [], 0
        some.append(group)
        rows += size
    if some:
        yield tuple(some)


def _image_column(schema: pa.Schema, name: str, options: PredictOptions) -> str:
    if options.image_column is not None:
        return _named(options.image_column, "image_column", schema, name)
    if any(holds_bytes(field.type) for field in schema):
        return image_column(schema, name)
    texts = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
    if found := next((column for column in _PATH_COLUMNS if column in texts), None):
        return found
    raise SourceError(
        f"{name} has no column of images, nor of their paths under a usual name ({', '.join(_PATH_COLUMNS)}): name it "
        f"by image_column. Columns are {', '.join(schema.names)}"
    )


def _id_column(schema: pa.Schema, name: str, options: PredictOptions) -> str | None:
    if options.id_column is not None:
        return _named(options.id_column, "id_column", schema, name)
    plain = [field.name for field in schema if not (pa.types.is_nested(field.type) or holds_bytes(field.type))]
    return next((column for column in _ID_COLUMNS if column in plain), None)


def _named(column: str, option: str, schema: pa.Schema, name: str) -> str:
    if column not in schema.names:
        raise SourceError(f"{name} has no column {column}, which {option} names. It has {', '.join(schema.names)}")
    return column


def _digest(values: object) -> str:
    return hashlib.sha256(json.dumps(values, ensure_ascii=False).encode()).hexdigest()[:16]
