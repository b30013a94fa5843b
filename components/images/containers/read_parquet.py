"""Unpack the images in Parquet files as Hugging Face's `datasets` writes them.

A row holds an image, `{bytes, path}` or its bytes alone, and a label: text, or a number whose name stands in the
schema's metadata. Images become `<split>/<label>/<name>`, or `<label>/<name>` where there is one split.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from components.images.containers.contents import Contents, listed
from components.images.containers.members import Member, Pack
from components.images.containers.split_names import missing_shards, split_folders
from components.images.source import SourceError
from components.tools.retries import reason

_METADATA = b"huggingface"
_IMAGE_NAMES = ("image", "img", "jpg", "png", "image_bytes")
_LABEL_NAMES = ("label", "labels", "class", "emotion", "expression", "category")
_ROWS = 32  # in memory at once
_BUFFER = 1 << 20
_ENDINGS = {b"\xff\xd8": ".jpg", b"\x89PNG": ".png", b"BM": ".bmp", b"GIF8": ".gif", b"RIFF": ".webp"}


@dataclass(frozen=True)
class _Columns:
    """Which columns hold image and label.

    Attributes:
        image: its name.
        label: its name.
        names: of the classes, by number; empty where labels speak for themselves.
    """

    image: str
    label: str
    names: Sequence[str]


@dataclass(frozen=True)
class _Image:
    """What a usable row holds; `name` is "" where the row has none."""

    label: str
    name: str
    data: bytes


def read_parquet(shards: Mapping[str, Path], name: str, target: Path) -> Contents:
    """Write the images of all shards into one file, in the shards' order.

    Args:
        shards: files by their path below the data folder.
        name: of the data, for messages.
        target: the file to write.

    Raises:
        SourceError: a shard is damaged, has no column of images or of labels, is of a split that isn't known, or
            shards disagree on the names of the classes.
    """
    folders = split_folders(shards)
    members: dict[str, Member] = {}
    unusable = [(shard, "not there, though the others' names count it") for shard in missing_shards(shards)]
    with Pack(target, name, sum(path.stat().st_size for path in shards.values())) as pack:
        names: Sequence[str] | None = None
        for shard, path in sorted(shards.items()):
            with _opened(path, shard) as file:
                columns = _columns(file.schema_arrow, shard)
                if names not in (None, columns.names):
                    raise SourceError(f"data: {shard} names its classes differently from the shards before it")
                names = columns.names
                for number, image, label in _rows(file, columns):
                    found = _image(image, _label(label, names), f"no label: {label!r}")
                    if isinstance(found, str):
                        unusable.append((f"{shard}#{number}", found))
                        continue
                    folder = "/".join(part for part in (folders[shard], found.label) if part)
                    row = f"{Path(shard).stem}-{number:06}"
                    id_ = f"{folder}/{found.name or row + _ending(found.data)}"
                    members[f"{folder}/{row}-{found.name}" if id_ in members else id_] = pack.add(found.data)
    return Contents(target, members, listed(members, unusable))


def is_parquet(path: Path) -> bool:
    """Return whether a file begins and ends as a Parquet file does; one that is cut off doesn't."""
    try:
        pq.read_metadata(path)
    except (pa.ArrowException, OSError):
        return False
    return True


def image_columns(path: Path) -> bool:
    """Return whether a Parquet file has a column of images."""
    try:
        _columns(pq.read_schema(path), path.name)
    except (pa.ArrowException, OSError, SourceError):
        return False
    return True


@contextmanager
def _opened(path: Path, shard: str) -> Iterator[pq.ParquetFile]:
    try:
        yield pq.ParquetFile(path, buffer_size=_BUFFER)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise SourceError(
            f"data: {shard} can't be read as Parquet: {reason(error).rstrip('.')}. Get it again"
        ) from None


def _rows(file: pq.ParquetFile, columns: _Columns) -> Iterator[tuple[int, Any, Any]]:
    number = 0
    for batch in file.iter_batches(_ROWS, columns=[columns.image, columns.label]):
        images, labels = (batch.column(name).to_pylist() for name in (columns.image, columns.label))
        for image, label in zip(images, labels, strict=True):
            yield number, image, label
            number += 1


def _columns(schema: pa.Schema, shard: str) -> _Columns:
    features = _features(schema)
    image = image_column(schema, shard)
    label = _chosen(
        [name for name in schema.names if name.lower() in _LABEL_NAMES and _may_be_a_label(schema.field(name).type)],
        [name for name, feature in features.items() if feature.get("_type") == "ClassLabel"],
        _LABEL_NAMES,
        ("labels", shard, schema),
    )
    declared = features.get(label, {}).get("names")
    names = tuple(map(str, declared)) if isinstance(declared, list) else ()
    if len({_folder(name) for name in names}) < len(names):
        raise SourceError(f"data: {shard} has two classes of one name: {', '.join(names)}")
    return _Columns(image, label, names)


def image_column(schema: pa.Schema, shard: str) -> str:
    """Return the name of the column that holds images.

    Args:
        schema: of the table.
        shard: its file, for the message.

    Raises:
        SourceError: there is none, or there are several.
    """
    return _chosen(
        [name for name in schema.names if holds_bytes(schema.field(name).type)],
        [name for name, feature in _features(schema).items() if feature.get("_type") == "Image"],
        _IMAGE_NAMES,
        ("images", shard, schema),
    )


def _chosen(possible: list[str], declared: list[str], usual: Sequence[str], about: tuple[str, str, pa.Schema]) -> str:
    """Return the column that the metadata declares, or the only possible one; of several the one of a usual name."""
    what, shard, schema = about
    candidates = [name for name in declared if name in schema.names] or possible
    named = [name for name in usual if name in candidates] if len(candidates) > 1 else candidates
    if not named:
        raise SourceError(
            f"data: {shard} has {'several columns' if candidates else 'no column'} of {what}. Columns are "
            f"{', '.join(schema.names)}; {what} are looked for in `{usual[0]}`: rename the column"
        )
    return named[0]


def _features(schema: pa.Schema) -> Mapping[str, Any]:
    """Return the features that the schema's metadata declares, as `datasets.Features.to_dict` writes them."""
    try:
        features = json.loads((schema.metadata or {}).get(_METADATA, b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    if not isinstance(features, dict):
        return {}
    return {name: feature for name, feature in features.items() if isinstance(feature, dict)}


def holds_bytes(kind: pa.DataType) -> bool:
    """Return whether a column's values are bytes, or structures with such a field."""
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" and holds_bytes(field.type) for field in kind)
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _may_be_a_label(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _may_be_a_label(kind.value_type)
    return pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _label(value: Any, names: Sequence[str]) -> str | None:
    """Return the class as a folder's name, which has no slash; None for a row without one (-1 in a hidden test set)."""
    if isinstance(value, int):
        if names:
            value = names[value] if 0 <= value < len(names) else None
        elif value < 0:
            value = None
    text = "" if value is None else _folder(str(value))
    return None if text in ("", ".", "..") else text


def _folder(label: str) -> str:
    return label.strip().replace("/", "_")


def _image(image: Any, label: str | None, unlabelled: str) -> _Image | str:
    """Return what a row holds, or why it can't be used."""
    path = str(image.get("path") or "") if isinstance(image, dict) else ""
    data = image.get("bytes") if isinstance(image, dict) else image
    if label is None:
        return unlabelled
    if not isinstance(data, bytes):
        return f"no bytes of an image{', only its path' if path else ''}"
    return _Image(label, re.split(r"[/\\]", path)[-1], data)


def _ending(data: bytes) -> str:
    return next((ending for start, ending in _ENDINGS.items() if data.startswith(start)), "")
