"""Read a folder of images once, check every file, and pack what can be used into an ImageDataset."""

import hashlib
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from components.formats.dataset import DUPLICATES, QUARANTINE, ImageRow, write_table
from components.formats.documents import SUMMARY
from components.images.containers.open_data import open_data
from components.images.hashing import near_duplicates, unsigned
from components.images.places import shown
from components.images.source import SourceError
from components.ingest.copies import Evidence, doubtful_copies, relate
from components.ingest.describe_folders import describe_folders
from components.ingest.duplicates import count_duplicates, find_duplicates
from components.ingest.excluded_copies import excluded_copies
from components.ingest.inspect_image import Quarantined
from components.ingest.layout import Layout
from components.ingest.metadata import describe_metadata, twins_of, with_metadata
from components.ingest.notes import notes
from components.ingest.options import DataOptions
from components.ingest.pack import drop, mend, pack
from components.ingest.structure import check_tables, read_structure, use_table
from components.tools.wording import counted


def ingest(uri: str, destination: Path, options: DataOptions, findings: Path | None = None) -> dict[str, Any]:
    """Pack the images of `uri` into `destination` and return the summary.

    Args:
        uri: a folder, an object store's prefix, or a file in either that holds images (see `open_data`); or several.
        destination: an empty folder; gets the shards and the summary.
        options: what is refused, whether near-duplicates are looked for.
        findings: an empty folder; gets the tables of quarantined files and of duplicates, and the summary once more.
            Where there is none, the tables go to `destination`.

    Raises:
        SourceError: no such folder, no image, no class or one alone, tables that contradict the folders, or an
            unusable file where `options.on_bad_image` is "error".
    """
    source = open_data(uri, destination, options.follow_links)
    found = read_structure(uri, source, options)
    listing, layout, given, relations = found.listing, found.layout, found.given, found.relations

    shards = list(pack(source, found.entries, layout, relations, destination, options.max_pixels))
    unusable = {item.id for shard in shards for item in shard.bad}
    marks = {file_id: mark for shard in shards for file_id, mark in shard.marks.items()}
    excluded = excluded_copies(source, found.excluded, [row for shard in shards for row in shard.rows], marks)
    if excluded:
        drop(destination, shards, excluded)
        found = replace(found, excluded={**found.excluded, **excluded})
    if unusable or marks:
        usable = [entry for entry in found.entries if entry.id not in unusable and entry.id not in excluded]
        digests = {row.id: row.sha256 for shard in shards for row in shard.rows}
        relations = relate(usable, layout, given.labels, Evidence(found.lineage, marks, digests, found.listed))
    rows = [row for shard in shards for row in shard.rows]
    near = near_duplicates([unsigned(row.phash) for row in rows]) if options.near_duplicates != "off" else []
    relations = with_metadata(relations, found.metadata, twins_of(rows, near))
    mend(destination, shards, found.relations, relations)
    rows = [row for shard in shards for row in shard.rows]
    bad = sorted([*found.bad, *(item for shard in shards for item in shard.bad)], key=lambda item: item.id)
    if bad and options.on_bad_image == "error":
        raise SourceError(
            f"{bad[0].id}: {bad[0].reason} ({counted(len(bad), 'unusable file')}; data.on_bad_image is error)"
        )
    unlisted = listing.linked.union(item.id for item in bad)
    check_tables(source, layout, unlisted)
    if not rows:
        raise SourceError(
            f"data: no usable image in {shown(uri)} ({counted(len(bad), 'file')} can't be used; "
            f"the first: {_first(bad)})"
        )
    # Marks may have told more of an image's class; of those that can't be used names say all there is.
    known = replace(found, relations={**found.relations, **relations})
    known.check_classes([(row.label, row.split) for row in rows], bad)
    classes = Counter(row.label for row in rows)
    if len(classes) < 2:
        remedy = f"a classifier needs two{use_table(found.unused_tables, uri)}"
        raise SourceError(f"data: only one class with images ({min(classes)}) in {shown(uri)}: {remedy}")

    duplicates = find_duplicates(rows, near)
    tables = findings or destination
    write_table(pa.Table.from_pylist([asdict(item) for item in bad], schema=_BAD_SCHEMA), tables / QUARANTINE)
    write_table(pa.Table.from_pylist(duplicates, schema=_DUPLICATE_SCHEMA), tables / DUPLICATES)
    summary = {
        "images": len(rows),
        "classes": dict(sorted(classes.items())),
        # What has no contrast has no perceptual hash either.
        "constant": dict(sorted(Counter(row.label for row in rows if row.phash is None).items())),
        "given_splits": dict(sorted(Counter(row.split for row in rows if row.split).items())),
        "given_copies": sum(row.copy > 0 for row in rows),
        "doubtful_copies": doubtful_copies(relations),
        "formats": dict(sorted(Counter(row.format for row in rows).items())),
        "reencoded": sum(shard.reencoded for shard in shards),
        "quarantined": len(bad),
        "quarantine_reasons": dict(Counter(item.reason.partition(":")[0] for item in bad).most_common()),
        "hidden": listing.hidden,
        "left_out": dict(listing.left_out),
        "beside": len(layout.beside),
        "unused_images": layout.unused_images(),
        "splits": dict(layout.splits),
        "folders": describe_folders(layout.places, rows),
        "excluded": dict(Counter(found.excluded.values()).most_common()),
        "labels_table": {**given.read, "labels": len(given.labels), "changed": given.changed()} if given.read else None,
        "metadata_table": describe_metadata(rows, found.metadata),
        "unused_tables": found.unused_tables,
        "duplicates": count_duplicates(duplicates),
        "sizes": dict(Counter(f"{row.width}×{row.height}" for row in rows).most_common(12)),
        "brightness": np.histogram([row.brightness for row in rows], bins=16, range=(0, 256))[0].tolist(),
        "data_digest": _digest(rows, layout),
    }
    summary["notes"] = list(notes(summary))
    for folder in {destination, tables}:
        SUMMARY.write(summary, folder)
    return summary


_BAD_SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "label", "reason")])
_DUPLICATE_SCHEMA = pa.schema([(name, pa.string()) for name in ("kind", "key", "id", "label", "split")])


def _digest(rows: list[ImageRow], layout: Layout) -> str:
    """Digest the images and what is known of them, wherever the folder lies and whichever level was named."""
    lines = sorted(
        "\0".join((layout.place(row.id, row.split), row.sha256, row.label, row.split, *_tie(row, layout), *_said(row)))
        for row in rows
    )
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def _tie(row: ImageRow, layout: Layout) -> tuple[str, ...]:
    if row.copy:
        return (layout.path_in_split(row.source_id),)
    return () if row.group == row.id else (row.group,)


def _said(row: ImageRow) -> tuple[str, ...]:
    grade = () if row.weight is None and row.votes is None else (repr(row.weight), repr(row.votes))
    return grade if row.metadata is None else (*grade, f"metadata {row.metadata!r}")


def _first(bad: list[Quarantined]) -> str:
    return f"{bad[0].id}: {bad[0].reason}" if bad else "none"
