"""Read, check and pack images: each shard on its own, in several processes where there are many.

Shards are cut by the hash of the ids, so neither the order of a listing nor the number of workers shows in the result.
"""

import hashlib
import multiprocessing
import os
from collections.abc import Container, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from components.formats.dataset import ImageRow, read_shard, shard_name, write_shard
from components.formats.nodes import INGEST
from components.images.codec import BadImage
from components.images.copy_mark import CopyMark, read_mark
from components.images.reading import image_bytes
from components.images.source import DamagedFile, Source
from components.ingest.copies import Relation
from components.ingest.inspect_image import Quarantined, inspect_image
from components.ingest.layout import Entry, Layout
from components.tools.progress import Progress

PREFIX = "images"
_IMAGES_PER_SHARD = 2048
# Below this a pool of processes costs more than it brings.
_IMAGES_WORTH_A_POOL = 1500


_Unit = list[tuple[Entry, Relation]]


@dataclass
class Shard:
    """What became of the files of one shard.

    Attributes:
        rows: those that are in it, without their bytes.
        bad: those that can't be used.
        reencoded: how many have other bytes than their files.
        marks: of the copies that have one, by id.
    """

    rows: list[ImageRow]
    bad: list[Quarantined]
    reencoded: int
    marks: dict[str, CopyMark]


def pack(
    source: Source,
    entries: Sequence[Entry],
    layout: Layout,
    relations: Mapping[str, Relation],
    destination: Path,
    max_pixels: int,
) -> Iterator[Shard]:
    """Write all shards, and yield what became of each one's files.

    Args:
        source: where the files are.
        entries: the files.
        layout: of their folder.
        relations: of each file, by id.
        destination: an existing folder.
        max_pixels: images with more pixels aren't decoded.
    """
    ordered = sorted(entries, key=lambda entry: hashlib.sha256(layout.place(entry.id, entry.split).encode()).digest())
    named = [(entry, relations[entry.id]) for entry in ordered]
    units = [named[start : start + _IMAGES_PER_SHARD] for start in range(0, len(named), _IMAGES_PER_SHARD)]
    paths = [destination / shard_name(PREFIX, index, len(units)) for index in range(len(units))]
    work = partial(_inspect_shard, source, max_pixels)
    progress, done = Progress(INGEST, len(entries)), 0
    for unit, shard in zip(units, _map(work, units, paths, len(entries)), strict=True):
        done += len(unit)
        progress(done, f"{done} of {len(entries)} files")
        yield shard


def _map(work: Any, units: list[_Unit], paths: list[Path], images: int) -> Iterator[Shard]:
    workers = min(len(units), len(os.sched_getaffinity(0)))
    if images < _IMAGES_WORTH_A_POOL or workers < 2:
        yield from map(work, units, paths)
        return
    # Spawned, not forked: this process may hold TensorFlow's threads.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(work, units, paths)


def _inspect_shard(source: Source, max_pixels: int, unit: _Unit, path: Path) -> Shard:
    """Read, inspect and write one shard; the rows go back without their bytes."""
    shard = Shard([], [], 0, {})

    def good() -> Iterator[ImageRow]:
        for entry, relation in unit:
            try:
                data = image_bytes(source.pieces(entry.id), max_pixels)
            except FileNotFoundError:
                shard.bad.append(Quarantined(entry.id, entry.label, "gone since the folder was listed"))
                continue
            except PermissionError:
                shard.bad.append(Quarantined(entry.id, entry.label, "not readable: permission denied"))
                continue
            except (BadImage, DamagedFile) as error:
                shard.bad.append(Quarantined(entry.id, entry.label, str(error)))
                continue
            found = inspect_image(entry, data, max_pixels)
            if isinstance(found, Quarantined):
                shard.bad.append(found)
            else:
                shard.reencoded += found.image is not data
                if mark := read_mark(data):
                    shard.marks[entry.id] = mark
                row = _related(found, relation)
                shard.rows.append(replace(row, image=b""))
                yield row

    write_shard(good(), path)
    return shard


def drop(destination: Path, shards: Sequence[Shard], ids: Container[str]) -> None:
    """Write those shards again that hold images which are left out after all, without these.

    Args:
        destination: see `pack`.
        shards: what it yielded.
        ids: of the images.
    """
    for index, shard in enumerate(shards):
        kept = [row for row in shard.rows if row.id not in ids]
        if len(kept) < len(shard.rows):
            path = destination / shard_name(PREFIX, index, len(shards))
            write_shard((row for row in read_shard(path) if row.id not in ids), path)
            shard.rows = kept


def mend(
    destination: Path, shards: Sequence[Shard], relations: Mapping[str, Relation], found: Mapping[str, Relation]
) -> None:
    """Write those shards again that hold a copy whose source is unusable, or another one than its name says.

    Args:
        destination: see `pack`.
        shards: what it yielded.
        relations: that it was given.
        found: those that turned out to be.
    """
    for index, shard in enumerate(shards):
        if all(relations[row.id] == found[row.id] for row in shard.rows):
            continue
        path = destination / shard_name(PREFIX, index, len(shards))
        write_shard((_related(row, found[row.id]) for row in read_shard(path)), path)
        shard.rows = [_related(row, found[row.id]) for row in shard.rows]


def _related(row: ImageRow, relation: Relation) -> ImageRow:
    copy = relation.source is not None
    source = relation.source or row.id
    given = relation.given
    votes = tuple(sorted(given.votes.items())) if given and given.votes else None
    return replace(
        row,
        label=relation.label,
        group=relation.tie,
        source_id=source,
        copy=int(copy),
        weight=given.confidence if given else None,
        votes=votes,
        metadata=relation.metadata,
    )
