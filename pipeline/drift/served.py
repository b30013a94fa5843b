"""The images that a model is asked about, from the predictions or the folder that they lie in, as many as are drawn."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.formats.dataset import shard_paths
from components.formats.drift_reference import About
from components.formats.drift_sample import Sample, draw, numbered
from components.formats.served_predictions import PREDICTIONS, QUARANTINE, read_served
from components.images.codec import MAX_PIXELS, BadImage, decode, for_tensorflow
from components.images.pieces import file_pieces
from components.images.reading import image_bytes
from components.images.room import Room
from components.images.source import printable
from components.split.captures import captured_keys

_AT_ONCE = 64  # files that are read and decoded
_NUMBERS = ("score", "brightness", "sharpness", "width", "height")
_COLUMNS = ("id", "label", "accepted", "embedding", *_NUMBERS)


class Served(NamedTuple):
    """What is held against the reference.

    Attributes:
        sample: the images that were drawn; those that can't be read are left out.
        images: how many there were to draw from.
        unusable: how many of these, or of those that were drawn from a folder, are no images.
        remarks: what is to be said of it.
        files: where the drawn images lie; nothing for predictions.
    """

    sample: Sample
    images: int
    unusable: int
    remarks: list[str]
    files: dict[str, Path]


class Grouping(NamedTuple):
    """By which part of their names images belong together.

    Attributes:
        regex: whose first capture they share; None: each stands for itself.
        on: "name" or "path": what it is searched in.
    """

    regex: str | None
    on: str


def holds_predictions(path: Path) -> bool:
    """Return whether a path is a file of predictions, or a folder with such files."""
    return path.is_file() or bool(shard_paths(path, PREDICTIONS))


def read_predictions(path: Path, about: About, grouping: Grouping, count: int, seed: int) -> Served:
    """Read predictions, at most one shard of them at a time.

    Raises:
        FileNotFoundError: a shard is missing.
        ValueError: it is no such file, it holds nothing, or another model made it.
    """
    shards = shard_paths(path, PREDICTIONS) if path.is_dir() else [path]
    ids: list[str] = []
    ends = []
    for shard in shards:
        found = read_served(shard, ["id"])
        if found.labels != about.labels:
            raise ValueError(f"{shard} was predicted by a model of other classes: predict again with this one")
        if found.model != about.model:
            raise ValueError(
                f"{shard} was predicted by another model ({found.model}, not {about.model}): give that model's folder, "
                "or predict again with this one"
            )
        ids += found.table["id"].to_pylist()
        ends.append(len(ids))
    if not ids:
        raise ValueError(f"there is no prediction in {path}")
    drawn = np.array(draw(ids, count, seed))
    tables = []
    for shard, start, end in zip(shards, [0, *ends], ends, strict=False):
        inside = np.sort(drawn[(drawn >= start) & (drawn < end)]) - start
        if len(inside):
            table = read_served(shard, _COLUMNS).table
            if problem := _problem(table, about.labels):
                raise ValueError(f"{shard} is damaged, or none of ours: {problem}. Predict again")
            tables.append(table.take(pa.array(inside)))
    table = pa.concat_tables(tables).sort_by("id")
    has_quarantine = path.is_dir() and bool(shard_paths(path, QUARANTINE))
    unusable = len(read_served(path, ["id"], QUARANTINE).table) if has_quarantine else 0
    sample, remarks = _grouped(_sample_of(table, about), grouping)
    return Served(sample, len(ids), unusable, remarks, {})


def look_at_folder(
    folder: Path, files: Sequence[Path], model: Path, about: About, grouping: Grouping, count: int, seed: int
) -> Served:
    """Predict the files that are drawn.

    Args:
        folder: that names begin behind.
        files: in it.
        model: the SavedModel's folder.
        about: the reference.
        grouping: of the images.
        count: how many to draw at most.
        seed: of what is drawn.

    Raises:
        ValueError: none of them is an image.
    """
    from components.drift_reference.look import NoPictureError, look

    by_name = {printable(os.fsencode(file.relative_to(folder).as_posix())): file for file in files}
    names = list(by_name)
    drawn = {names[place]: by_name[names[place]] for place in draw(names, count, seed)}
    bad: list[str] = []
    try:
        sample, undecodable = look(model, _measured(drawn, about, bad))
    except NoPictureError as error:
        raise ValueError(f"of {len(drawn):,} files in {folder} none is an image: {bad[0] if bad else error}") from None
    sample, remarks = _grouped(sample, grouping)
    return Served(sample, len(files), len(bad) + len(undecodable), remarks, drawn)


def _measured(files: dict[str, Path], about: About, bad: list[str]) -> Iterator[Any]:
    from components.drift_reference.look import measure

    def read(name: str, file: Path) -> Any:
        with Room() as room:
            try:
                data = image_bytes(file_pieces(file), MAX_PIXELS)
                picture = decode(data, take=room.take)
            except (BadImage, OSError) as error:
                return f"{name}: {error}"
            return measure(name, for_tensorflow(data, picture)[0], picture.pixels, about.height, about.width)

    names = list(files)
    with ThreadPoolExecutor(thread_name_prefix="read") as pool:
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            for found in pool.map(read, some, map(files.__getitem__, some)):
                if isinstance(found, str):
                    bad.append(found)
                else:
                    yield found


def _problem(table: pa.Table, labels: Sequence[str]) -> str:
    """Return what keeps predictions from being compared, such as a NaN, which lies nowhere; "" if nothing does."""
    for name in _NUMBERS:
        column = table[name]
        if not pa.types.is_primitive(column.type) or column.null_count or not np.isfinite(column.to_numpy()).all():
            return f"{name} isn't a finite number in each row"
    if unknown := sorted(map(str, set(table["label"].to_pylist()) - set(labels))):
        return f"{unknown[0]} is no class of the model"
    features = table["embedding"]
    if features.null_count:
        return ""
    if (
        len(pc.unique(pc.list_value_length(features))) > 1
        or not np.isfinite(pc.list_flatten(features).to_numpy()).all()
    ):
        return "embedding isn't as many finite numbers in each row"
    return ""


def _sample_of(table: pa.Table, about: About) -> Sample:
    """Return predictions as arrays, each a group of its own; what some of them lack counts as missing."""
    place = {label: index for index, label in enumerate(about.labels)}
    numbers = {name: table[name].to_numpy() for name in _NUMBERS}
    lacks = {name: table[name].null_count > 0 for name in ("accepted", "embedding")}
    embeddings = None if lacks["embedding"] else np.stack(table["embedding"].to_numpy()).astype(np.float16)
    return Sample(
        ids=table["id"].to_pylist(),
        groups=np.arange(len(table)),
        predicted=np.array([place[label] for label in table["label"].to_pylist()], np.int64),
        accepted=None if lacks["accepted"] else table["accepted"].to_numpy().astype(np.bool_),
        embeddings=embeddings,
        **numbers,
    )


def _grouped(sample: Sample, grouping: Grouping) -> tuple[Sample, list[str]]:
    """Return the images in the groups that their names tell, and what is to be said of that."""
    if grouping.regex is None:
        return sample, []
    searched = [name.rpartition("/")[2] if grouping.on == "name" else name for name in sample.ids]
    keys = captured_keys(searched, grouping.regex)
    left = sum(key is None for key in keys)
    if not left:
        return sample._replace(groups=numbered(keys)), []
    which = "Each served image counts" if left == len(keys) else f"Of the served images {left:,} count"
    return sample._replace(groups=numbered(keys)), [
        f"{which} as independent of the others, since {grouping.regex} captures nothing in the names. If several "
        "images show the same person or scene, name what they share with --group-regex."
    ]
