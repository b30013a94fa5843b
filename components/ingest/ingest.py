"""Read a folder of images once, check every file, and pack what can be used into an ImageDataset.

Shards are cut by the hash of the ids, so neither the order of a listing nor the number of workers shows in the result.
"""

import hashlib
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from components.formats.dataset import (
    DUPLICATES,
    QUARANTINE,
    ImageRow,
    read_shard,
    shard_name,
    write_shard,
    write_table,
)
from components.formats.documents import SUMMARY
from components.formats.nodes import INGEST
from components.images.codec import BadImage
from components.images.hashing import near_duplicates, unsigned
from components.images.reading import image_bytes
from components.images.source import Source, SourceError, open_source
from components.ingest.copies import Relation, relate
from components.ingest.inspect_image import Quarantined, inspect_image
from components.ingest.layout import Entry, Layout, check_split_csv, read_labels_csv, read_layout
from components.ingest.options import DataOptions
from components.tools.progress import Progress

PREFIX = "images"
_IMAGES_PER_SHARD = 2048
# Below this a pool of processes costs more than it brings.
_IMAGES_WORTH_A_POOL = 1500


_Unit = list[tuple[Entry, Relation]]


@dataclass
class _Shard:
    rows: list[ImageRow]  # without their bytes
    bad: list[Quarantined]
    reencoded: int


def ingest(uri: str, destination: Path, options: DataOptions) -> dict[str, Any]:
    """Pack the images of `uri` into `destination` and return the summary.

    Args:
        uri: a folder, or an object store's prefix.
        destination: an empty folder; gets the shards, the tables of quarantined files and duplicates, the summary.
        options: what is refused, whether near-duplicates are looked for.

    Raises:
        SourceError: no such folder, no image, no class or one alone, tables that contradict the folders, or an
            unusable file where `options.on_bad_image` is "error".
    """
    source = open_source(uri)
    listing = source.list()
    labels = read_labels_csv(_text(options.labels_csv)) if options.labels_csv else {}
    layout = read_layout(listing.files, listing.folders, labels)
    if not layout.labels:
        raise SourceError(f"data: no class folder in {uri}: put the images in train/<label>/")
    bad = [Quarantined(file_id, "", reason) for file_id, reason in (*listing.unusable, *layout.misplaced)]

    relations = relate(layout.entries, layout, labels)
    shards = list(_inspect_all(source, layout, relations, destination, options))
    unusable = {item.id for shard in shards for item in shard.bad}
    if unusable:
        usable = [entry for entry in layout.entries if entry.id not in unusable]
        _mend(destination, shards, relations, relate(usable, layout, labels))
    rows = [row for shard in shards for row in shard.rows]
    bad = sorted([*bad, *(item for shard in shards for item in shard.bad)], key=lambda item: item.id)
    if bad and options.on_bad_image == "error":
        raise SourceError(f"{bad[0].id}: {bad[0].reason} ({len(bad)} unusable files; data.on_bad_image is error)")
    unlisted = listing.linked.union(item.id for item in bad)
    for table in layout.split_csvs:
        check_split_csv(table, source.read(table).decode("utf-8", "backslashreplace"), layout.entries, unlisted)
    if not rows:
        raise SourceError(f"data: no usable image in {uri} ({len(bad)} files can't be used; the first: {_first(bad)})")
    classes = Counter(row.label for row in rows)
    if len(classes) < 2:
        raise SourceError(f"data: only one class with images ({min(classes)}) in {uri}: a classifier needs two")

    near = near_duplicates([unsigned(row.phash) for row in rows]) if options.near_duplicates != "off" else []
    duplicates = _duplicates(rows, near)
    write_table(pa.Table.from_pylist([asdict(item) for item in bad], schema=_BAD_SCHEMA), destination / QUARANTINE)
    write_table(pa.Table.from_pylist(duplicates, schema=_DUPLICATE_SCHEMA), destination / DUPLICATES)
    summary = {
        "images": len(rows),
        "classes": {label: classes[label] for label in layout.labels},
        # What has no contrast has no perceptual hash either.
        "constant": dict(sorted(Counter(row.label for row in rows if row.phash is None).items())),
        "given_splits": dict(sorted(Counter(row.split for row in rows if row.split).items())),
        "given_copies": sum(row.copy > 0 for row in rows),
        "formats": dict(sorted(Counter(row.format for row in rows).items())),
        "reencoded": sum(shard.reencoded for shard in shards),
        "quarantined": len(bad),
        "quarantine_reasons": dict(Counter(item.reason.partition(":")[0] for item in bad).most_common()),
        "hidden": listing.hidden,
        "beside": layout.beside,
        "duplicates": _count_duplicates(duplicates),
        "sizes": dict(Counter(f"{row.width}×{row.height}" for row in rows).most_common(12)),
        "brightness": np.histogram([row.brightness for row in rows], bins=16, range=(0, 256))[0].tolist(),
        "data_digest": _digest(rows, layout),
    }
    SUMMARY.write(summary, destination)
    return summary


_BAD_SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "label", "reason")])
_DUPLICATE_SCHEMA = pa.schema([(name, pa.string()) for name in ("kind", "key", "id", "label", "split")])


def _inspect_all(
    source: Source, layout: Layout, relations: Mapping[str, Relation], destination: Path, options: DataOptions
) -> Iterator[_Shard]:
    entries = layout.entries
    ordered = sorted(entries, key=lambda entry: hashlib.sha256(layout.place(entry.id, entry.split).encode()).digest())
    named = [(entry, relations[entry.id]) for entry in ordered]
    units = [named[start : start + _IMAGES_PER_SHARD] for start in range(0, len(named), _IMAGES_PER_SHARD)]
    paths = [destination / shard_name(PREFIX, index, len(units)) for index in range(len(units))]
    work = partial(_inspect_shard, source, options.max_pixels)
    progress, done = Progress(INGEST, len(entries)), 0
    for unit, shard in zip(units, _map(work, units, paths, len(entries)), strict=True):
        done += len(unit)
        progress(done, f"{done} of {len(entries)} files")
        yield shard


def _map(work: Any, units: list[_Unit], paths: list[Path], images: int) -> Iterator[_Shard]:
    workers = min(len(units), len(os.sched_getaffinity(0)))
    if images < _IMAGES_WORTH_A_POOL or workers < 2:
        yield from map(work, units, paths)
        return
    # Spawned, not forked: this process may hold TensorFlow's threads.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(work, units, paths)


def _inspect_shard(source: Source, max_pixels: int, unit: _Unit, path: Path) -> _Shard:
    """Read, inspect and write one shard; the rows go back without their bytes."""
    shard = _Shard([], [], 0)

    def good() -> Iterator[ImageRow]:
        for entry, relation in unit:
            try:
                data = image_bytes(source.pieces(entry.id), max_pixels)
            except BadImage as error:
                shard.bad.append(Quarantined(entry.id, entry.label, str(error)))
                continue
            except FileNotFoundError:
                shard.bad.append(Quarantined(entry.id, entry.label, "gone since the folder was listed"))
                continue
            except PermissionError:
                shard.bad.append(Quarantined(entry.id, entry.label, "not readable: permission denied"))
                continue
            found = inspect_image(entry, data, max_pixels)
            if isinstance(found, Quarantined):
                shard.bad.append(found)
            else:
                shard.reencoded += found.image is not data
                row = _related(found, relation)
                shard.rows.append(replace(row, image=b""))
                yield row

    write_shard(good(), path)
    return shard


def _mend(
    destination: Path, shards: list[_Shard], relations: Mapping[str, Relation], without_bad: Mapping[str, Relation]
) -> None:
    """Write those shards again that hold a copy whose source turned out to be unusable."""
    for index, shard in enumerate(shards):
        if all(relations[row.id] == without_bad[row.id] for row in shard.rows):
            continue
        path = destination / shard_name(PREFIX, index, len(shards))
        write_shard((_related(row, without_bad[row.id]) for row in read_shard(path)), path)
        shard.rows = [_related(row, without_bad[row.id]) for row in shard.rows]


def _related(row: ImageRow, relation: Relation) -> ImageRow:
    copy = relation.source is not None
    source = relation.source or row.id
    return replace(row, label=relation.label, group=relation.tie, source_id=source, copy=int(copy))


def _duplicates(rows: list[ImageRow], near: Iterable[tuple[int, int]]) -> list[dict[str, str]]:
    """Return one line an image that has a duplicate: kind is "exact", "conflict" (exact, other label) or "near"."""
    found = []
    by_pixels = sorted(rows, key=lambda row: (row.pixels, row.id))
    for digest, members in groupby(by_pixels, key=lambda row: row.pixels):
        same = list(members)
        if len(same) > 1:
            kind = "exact" if len({row.label for row in same}) == 1 else "conflict"
            found += [_duplicate(kind, digest[:16], row) for row in same]
    pairs = [(rows[i], rows[j]) for i, j in near if rows[i].pixels != rows[j].pixels]
    for number, pair in enumerate(sorted(pairs, key=lambda pair: sorted(row.id for row in pair))):
        found += [_duplicate("near", f"pair-{number}", row) for row in sorted(pair, key=lambda row: row.id)]
    return found


def _duplicate(kind: str, key: str, row: ImageRow) -> dict[str, str]:
    return {"kind": kind, "key": key, "id": row.id, "label": row.label, "split": row.split}


def _count_duplicates(duplicates: list[dict[str, str]]) -> dict[str, int]:
    counts = Counter(item["kind"] for item in duplicates)
    return {kind: counts[kind] for kind in ("exact", "conflict", "near")}


def _digest(rows: list[ImageRow], layout: Layout) -> str:
    """Digest the images with their labels and names, wherever the folder lies and whatever level of it was named."""
    lines = sorted("\0".join((layout.place(row.id, row.split), row.sha256, row.label, row.split)) for row in rows)
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def _text(uri: str) -> str:
    import fsspec

    try:
        with fsspec.open(uri, "rb") as file:
            return file.read().decode("utf-8-sig")  # type: ignore[no-any-return]
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"can't read data.labels_csv = {uri}: {error}") from None


def _first(bad: list[Quarantined]) -> str:
    return f"{bad[0].id}: {bad[0].reason}" if bad else "none"
