"""Read a folder of images once, check every file, and pack what can be used into an ImageDataset.

Shards are cut by the hash of the ids, so neither the order of a listing nor the number of workers shows in the result.
"""

import hashlib
import multiprocessing
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from components.formats import nodes
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
from components.images.hashing import near_duplicates
from components.images.names import is_copy, source_keys
from components.ingest.inspect_image import Quarantined, inspect_image
from components.ingest.layout import Entry, Layout, check_split_csv, read_labels_csv, read_layout
from components.ingest.options import DataOptions
from components.ingest.source import Source, SourceError, open_source
from components.split.groups import group_images
from components.tools.progress import Progress

PREFIX = "images"
_IMAGES_PER_SHARD = 2048
# Below this a pool of processes costs more than it brings.
_IMAGES_WORTH_A_POOL = 1500


@dataclass
class _Shard:
    rows: list[ImageRow]  # without their bytes
    bad: list[Quarantined]
    reencoded: int


def ingest(
    uri: str,
    destination: Path,
    options: DataOptions,
    group_regex: str | None = None,
) -> dict[str, Any]:
    """Pack the images of `uri` into `destination` and return the summary.

    Args:
        uri: a folder, or an object store's prefix.
        destination: an empty folder; gets the shards, the tables of quarantined files and duplicates, the summary.
        options: what is refused, how near-duplicates are treated.
        group_regex: see `components.split.groups`.

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

    shards = list(_inspect_all(source, layout, destination, options))
    rows = [row for shard in shards for row in shard.rows]
    bad = sorted([*bad, *(item for shard in shards for item in shard.bad)], key=lambda item: item.id)
    if bad and options.on_bad_image == "error":
        raise SourceError(f"{bad[0].id}: {bad[0].reason} ({len(bad)} unusable files; data.on_bad_image is error)")
    unlisted = listing.linked.union(item.id for item in bad)
    for table in layout.split_csvs:
        check_split_csv(table, source.read(table).decode("utf-8", "backslashreplace"), layout.entries, unlisted)
    usable = {row.label for row in rows}
    if not rows:
        raise SourceError(f"data: no usable image in {uri} ({len(bad)} files can't be used; the first: {_first(bad)})")
    if len(usable) < 2:
        raise SourceError(f"data: only one class with images ({usable.pop()}) in {uri}: a classifier needs two")

    near = near_duplicates([_unsigned(row.phash) for row in rows]) if options.near_duplicates != "off" else []
    paths = [layout.path_in_split(row.id) for row in rows]
    grouped = _with_groups(rows, paths, near if options.near_duplicates == "group" else [], group_regex, labels)
    _write_groups(destination, len(shards), {row.id: row for row in grouped})
    duplicates = _duplicates(grouped, near)
    write_table(pa.Table.from_pylist([asdict(item) for item in bad], schema=_BAD_SCHEMA), destination / QUARANTINE)
    write_table(pa.Table.from_pylist(duplicates, schema=_DUPLICATE_SCHEMA), destination / DUPLICATES)
    summary = {
        "images": len(rows),
        "classes": {label: sum(row.label == label for row in grouped) for label in layout.labels},
        "given_splits": dict(sorted(Counter(row.split for row in rows if row.split).items())),
        "given_copies": sum(row.copy > 0 for row in grouped),
        "formats": dict(sorted(Counter(row.format for row in rows).items())),
        "reencoded": sum(shard.reencoded for shard in shards),
        "quarantined": len(bad),
        "quarantine_reasons": dict(Counter(item.reason.partition(":")[0] for item in bad).most_common()),
        "hidden": listing.hidden,
        "beside": layout.beside,
        "duplicates": _count_duplicates(duplicates),
        "leaks": _leaks(grouped),
        "groups": len({row.group for row in grouped}),
        "sizes": dict(Counter(f"{row.width}×{row.height}" for row in rows).most_common(12)),
        "brightness": np.histogram([row.brightness for row in rows], bins=16, range=(0, 256))[0].tolist(),
        "data_digest": _digest(grouped, layout),
    }
    SUMMARY.write(summary, destination)
    return summary


_BAD_SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "label", "reason")])
_DUPLICATE_SCHEMA = pa.schema([(name, pa.string()) for name in ("kind", "key", "id", "label", "split")])


def _inspect_all(source: Source, layout: Layout, destination: Path, options: DataOptions) -> Iterator[_Shard]:
    entries = layout.entries
    ordered = sorted(entries, key=lambda entry: hashlib.sha256(layout.place(entry.id, entry.split).encode()).digest())
    units = [ordered[start : start + _IMAGES_PER_SHARD] for start in range(0, len(ordered), _IMAGES_PER_SHARD)]
    paths = [destination / shard_name(PREFIX, index, len(units)) for index in range(len(units))]
    work = partial(_inspect_shard, source, options.max_pixels)
    progress, done = Progress(nodes.INGEST, len(entries)), 0
    for unit, shard in zip(units, _map(work, units, paths, len(entries)), strict=True):
        done += len(unit)
        progress(done, f"{done} of {len(entries)} files")
        yield shard


def _map(work: Any, units: list[list[Entry]], paths: list[Path], images: int) -> Iterator[_Shard]:
    workers = min(len(units), len(os.sched_getaffinity(0)))
    if images < _IMAGES_WORTH_A_POOL or workers < 2:
        yield from map(work, units, paths)
        return
    # Spawned, not forked: this process may hold TensorFlow's threads.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(work, units, paths)


def _inspect_shard(source: Source, max_pixels: int, entries: list[Entry], path: Path) -> _Shard:
    """Read, inspect and write one shard; the rows go back without their bytes."""
    shard = _Shard([], [], 0)

    def good() -> Iterator[ImageRow]:
        for entry in entries:
            try:
                data = source.read(entry.id)
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
                shard.rows.append(replace(found, image=b""))
                yield found

    write_shard(good(), path)
    return shard


def _with_groups(
    rows: list[ImageRow],
    anywhere: list[str],
    near: list[tuple[int, int]],
    group_regex: str | None,
    labels: Mapping[str, str],
) -> list[ImageRow]:
    """The rows with their groups; a copy that an earlier split made is told by its name and tied to its source.

    It follows its source's corrected label, too, unless `labels` corrects its own.

    The source lies in the copy's own split, or in another one if the split has torn the two apart: `anywhere` holds the
    rows' paths without their splits' folders.
    """
    paths = [f"{row.split}/{path}" for row, path in zip(rows, anywhere, strict=True)]
    own_keys, keys = source_keys(paths), source_keys(anywhere)
    own = {path: index for index, path in enumerate(paths) if not is_copy(rows[index].filename)}
    other = {path: index for index, path in enumerate(anywhere) if not is_copy(rows[index].filename)}
    sources: dict[int, int] = {}
    for index, row in enumerate(rows):
        if is_copy(row.filename):
            found = own.get(own_keys[index] or "", other.get(keys[index] or ""))
            if found is not None:
                sources[index] = found
    names, digests = [row.filename for row in rows], [row.pixels for row in rows]
    # Copies whose source isn't there have its name in common.
    orphans = [
        keys[index] if is_copy(row.filename) and index not in sources else None for index, row in enumerate(rows)
    ]
    joined = [*near, *sources.items()]
    groups = group_images(names, digests, near=joined, group_regex=group_regex, sources=orphans)
    grouped = []
    for index, (row, group) in enumerate(zip(rows, groups, strict=True)):
        if index in sources:
            source = rows[sources[index]].id
            label = labels.get(row.id, labels.get(source, row.label))
            row = replace(row, copy=1, source_id=source, label=label)
        grouped.append(replace(row, group=group))
    return grouped


def _write_groups(destination: Path, shards: int, rows: dict[str, ImageRow]) -> None:
    for index in range(shards):
        path = destination / shard_name(PREFIX, index, shards)
        write_shard((replace(rows[row.id], image=row.image) for row in read_shard(path)), path)


def _duplicates(rows: list[ImageRow], near: Iterable[tuple[int, int]]) -> list[dict[str, str]]:
    """One line an image that has a duplicate: kind is "exact", "conflict" (exact, other label) or "near"."""
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


def _leaks(rows: list[ImageRow]) -> list[dict[str, Any]]:
    """Groups that a given split has torn apart: the folder's own leak."""
    if not any(row.split for row in rows):
        return []
    members = defaultdict(list)
    for row in rows:
        members[row.group].append(row)
    return [
        {
            "group": group,
            "splits": sorted({row.split or "train" for row in same}),
            "ids": sorted(r.id for r in same)[:8],
        }
        for group, same in sorted(members.items())
        if len({row.split or "train" for row in same}) > 1
    ]


def _digest(rows: list[ImageRow], layout: Layout) -> str:
    """Digest the images with their labels and names, wherever the folder lies and whatever level of it was named."""
    lines = sorted(
        "\0".join((layout.place(row.id, row.split), row.sha256, row.label, row.split, row.group)) for row in rows
    )
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def _unsigned(phash: int | None) -> int | None:
    return None if phash is None else phash & 0xFFFFFFFFFFFFFFFF


def _text(uri: str) -> str:
    import fsspec

    try:
        with fsspec.open(uri, "rb") as file:
            return file.read().decode("utf-8-sig")  # type: ignore[no-any-return]
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"can't read data.labels_csv = {uri}: {error}") from None


def _first(bad: list[Quarantined]) -> str:
    return f"{bad[0].id}: {bad[0].reason}" if bad else "none"
