"""The pipeline's stage: plan over an ImageDataset's rows, then write the split, balanced, augmented one.

Everything is read and written through Beam's file systems, so both may lie in an object store.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from sys import intern
from typing import Any

import numpy as np
import pyarrow as pa
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from numpy.typing import NDArray

from components.formats.dataset import SPLITS, open_shard, shard_name
from components.formats.documents import SUMMARY
from components.formats.nodes import SPLIT
from components.images.names import copy_extension, free_variants
from components.split.copies import counts_of
from components.split.plan import Plan, Rules, exact, make_plan
from components.split_balance_augment.dataset_work import ParquetUnit, ParquetWork
from components.split_balance_augment.images_table import (
    captures_of,
    exact_shares,
    given_of,
    groups_of,
    near_pairs,
    values_of,
)
from components.split_balance_augment.options import AugmentOptions, BalanceOptions, SplitOptions
from components.split_balance_augment.stable_split import decided_stably, describe_stable, is_stable
from components.tools.progress import Progress
from components.tools.wording import counted
from components.work.engine import delete_folder, do_units, read_whole, write_whole
from components.work.options import BeamOptions
from components.work.unit import Counts

_PLAN_COLUMNS = ["id", "label", "split", "sha256", "pixels", "phash", "filename", "group", "copy", "height", "width"]
# Seconds for one pixel: of a source that is decoded, of a copy that is made (96×96: 0.1 ms and 0.3 ms).
_SECONDS_PER_SOURCE_PIXEL = 1.1e-8
_SECONDS_PER_COPIED_PIXEL = 3.3e-8
_SECONDS_PER_ROW = 1e-5
# A unit is to be worth sending to another machine, and there are to be enough of them for many workers.
_SECONDS_PER_UNIT = 2.0
_FEWEST_UNITS = 16
_BY_HASH = (
    ". Splits are by hash: split.assignment=exact, or before the first model another split.seed, gives each its own"
)
_LEAKS_LISTED = 100
_NAMED = 5  # classes in a message, which is cut where it is long: its end is the remedy
_SHARD = re.compile(r"images-(\d{5})-of-(\d{5})\.parquet$")


def split_dataset(
    source: str,
    destination: str,
    *,
    split: SplitOptions,
    balance: BalanceOptions,
    augment: AugmentOptions,
    beam: BeamOptions,
    group_near: bool = False,
) -> dict[str, Any]:
    """Write `{train,eval,test}-…` shards and the summary to `destination`, and return the summary.

    Args:
        source: URI of an ImageDataset with `images-…` shards.
        destination: URI of an existing empty folder.
        split: shares, seed.
        balance: which splits, how many images.
        augment: pipeline, encoding of the copies.
        beam: what runs it.
        group_near: whether near-duplicates stay in one split.

    Raises:
        FileNotFoundError: no images, or a shard is missing.
        PipelineError: the custom pipeline can't be used.
        WorkError: a unit failed.
        ValueError: a class has too few images to be in each split, or `split.group_regex` captures nothing.
    """
    path = FileSystems.join(source, SUMMARY.name)
    ingested = SUMMARY.parse(read_whole(path), path)
    shards = _shards(source)
    table = pa.concat_tables([table for _, table, _ in shards])
    folders = list(ingested.get("folders", {}))
    keys, captures = captures_of(table, split, folders)
    near = near_pairs(table) if group_near else []
    decided = decided_stably(table, keys, near, split, folders) if is_stable(split, folders) else None
    groups = groups_of(table, keys, near, () if decided is None else np.flatnonzero(decided < 0).tolist())
    plan = plan_of(table, groups, split, balance, decided)
    _refuse_small_classes(plan, table, groups, ingested, "" if decided is None else _BY_HASH)
    pipeline_yaml = None if augment.pipeline_yaml is None else read_whole(augment.pipeline_yaml).decode()
    work = ParquetWork(plan.splits, split.seed, pipeline_yaml, augment.encoding, augment.jpeg_quality)
    work.prepare()  # a pipeline that can't be used is found before any work begins

    units, seconds = _units(destination, shards, table, plan, groups, augment.encoding)
    images = int((plan.split_of >= 0).sum() + plan.copies_of.sum())
    progress = Progress(SPLIT, images)

    def report(counts: Counts) -> None:
        done = counts.get("originals", 0) + counts.get("copies", 0)
        progress(done, f"{done} of {images} images")

    scratch = FileSystems.join(destination, ".units")
    FileSystems.mkdirs(scratch)
    try:
        counts = do_units(units, work, beam, scratch=scratch, seconds=seconds, report=report)
    finally:
        delete_folder(scratch)
    summary = _summary(plan, split, balance, ingested, counts)
    summary |= {"folders": ingested.get("folders", {}), "assignment": None}
    if decided is not None:
        summary["assignment"] = describe_stable(decided, groups, table["id"].to_pylist(), summary["shares"])
    summary["groups"] = len(set(groups))
    summary["captures"] = captures and asdict(captures) | {"text": captures.text(summary["groups"])}
    write_whole(FileSystems.join(destination, SUMMARY.name), SUMMARY.text(summary).encode())
    return summary


def plan_of(
    table: Any,
    groups: Sequence[str],
    split: SplitOptions,
    balance: BalanceOptions,
    decided: NDArray[np.int8] | None = None,
) -> Plan:
    """Return the plan for the images of a table with (at least) the planning columns.

    Args:
        table: of the images.
        groups: of each image.
        split: shares, seed.
        balance: which splits, how many images.
        decided: of `decided_stably`; None divides exactly.
    """
    rules = Rules(
        exact_shares(split),
        balance.splits,
        exact(balance.global_multiplier),
        split.seed,
        balance.max_copies_per_image,
        balance.target,
    )
    # Numbers for groups, and digests and ids a chunk at a time: as Python's strings they take 0.3 KB an image.
    numbered = pa.array(groups, pa.string()).dictionary_encode()
    plan = make_plan(
        rules,
        labels=[intern(label) for label in values_of(table["label"])],
        digests=values_of(table["sha256"]),
        ids=values_of(table["id"]),
        groups=numbered.indices.to_numpy(),
        given=given_of(table),
        augmented=(table["copy"].to_numpy() > 0).tolist(),
        decided=decided,
    )
    leaks = tuple((numbered.dictionary[int(number)].as_py(), splits) for number, splits in plan.leaks)
    return replace(plan, leaks=leaks)


def _shards(source: str) -> list[tuple[str, Any, list[int]]]:
    """Return input shards in order: URI, planning columns, rows of each row group."""
    shards = []
    for path in _shard_uris(source):
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            parquet = open_shard(file, path)
            sizes = [parquet.metadata.row_group(i).num_rows for i in range(parquet.num_row_groups)]
            shards.append((path, parquet.read(columns=_PLAN_COLUMNS), sizes))
    return shards


def _shard_uris(source: str) -> list[str]:
    """Return input shards in order.

    A local folder is listed here: Beam would take brackets in its name for a pattern, which can be quoted, but is then
    looked for from above that folder on.
    """
    if "://" in source:
        quoted = re.sub(r"([\[*?])", r"[\1]", source)
        matches = FileSystems.match([FileSystems.join(quoted, "images-*.parquet")])[0].metadata_list
        found = [metadata.path for metadata in matches]
    else:
        found = [str(path) for path in Path(source).glob("images-*.parquet")]
    paths = sorted(path for path in found if _SHARD.search(path))
    if not paths or len(paths) != int(_SHARD.search(paths[0])[2]):  # type: ignore[index]
        raise FileNotFoundError(f"shards of images are missing in {source}. Received: {len(paths)}")
    return paths


def _refuse_small_classes(
    plan: Plan, table: Any, group_of: Sequence[str], ingested: Mapping[str, Any], remedy: str
) -> None:
    """Refuse a class that isn't in each of the splits that are cut: it can't be learnt and judged.

    One that has enough images may still be missing in eval, where its groups are too large for so small a share: that
    is a deviation like any other, and reported. A class whose share of eval rounds to no image deviates from nothing.

    Raises:
        ValueError: there are such classes, or a split without an image; the message names them.
    """
    cut = [name for name in plan.splits if name not in ingested["given_splits"]]
    there = {cell.split for cell in plan.cells if cell.originals + cell.copies}
    missing = {
        cell.label
        for cell in plan.cells
        if cell.split in cut
        and not cell.originals + cell.copies
        and (cell.split != "eval" or cell.split not in there or not cell.deviation)
    }
    groups = Counter(label for label, _ in set(zip(table["label"].to_pylist(), group_of, strict=True)))
    small = {
        label: images
        for label, images in sorted(ingested["classes"].items())
        if groups[label] < len(cut) or label in missing
    }
    if small:
        found = ", ".join(
            f"{label} ({counted(small[label], 'image')}, {counted(groups[label], 'group')})"
            for label in list(small)[:_NAMED]
        )
        found += f", … ({len(small)} classes)" if len(small) > _NAMED else ""
        raise ValueError(
            f"too few images or groups to be in each of {', '.join(cut)}: {found}. "
            f"Add images to these classes, take their folders out, or raise split.eval{remedy}"
        )


def _units(
    destination: str,
    shards: list[tuple[str, Any, list[int]]],
    table: Any,
    plan: Plan,
    group_of: Sequence[str],
    encoding: str,
) -> tuple[list[ParquetUnit], float]:
    """Cut the plan into units of about equal work along the row groups; also the seconds of all work on one core."""
    pixels = table["height"].to_numpy().astype(np.float64) * table["width"].to_numpy()
    costs = (plan.copies_of > 0) * pixels * _SECONDS_PER_SOURCE_PIXEL
    costs += plan.copies_of * pixels * _SECONDS_PER_COPIED_PIXEL + _SECONDS_PER_ROW
    most = min(_SECONDS_PER_UNIT, float(costs.sum()) / _FEWEST_UNITS)
    ids = table["id"].to_pylist()
    extensions = [copy_extension(path, encoding) for path in ids]
    digests = table["pixels"].to_pylist()
    variants = np.asarray(free_variants(ids, plan.copies_of.tolist(), ids, extensions))

    parts: list[tuple[str, tuple[int, ...], slice]] = []
    start = 0
    for path, _, sizes in shards:
        ends = start + np.cumsum(sizes)
        # Row groups go to parts of equal work: a runner hands units out in turn, so unequal ones keep one worker busy.
        done = np.cumsum([costs[end - size : end].sum() for end, size in zip(ends, sizes, strict=True)])
        shard_cost = float(done[-1]) if len(done) else 0.0
        count = min(len(sizes), max(1, math.ceil(shard_cost / most)))
        part_of = np.minimum((done / shard_cost * count - 1e-9).astype(int), count - 1) if len(done) else done
        for part in np.unique(part_of):
            groups = np.flatnonzero(part_of == part)
            rows = slice(int(ends[groups[0]]) - sizes[groups[0]], int(ends[groups[-1]]))
            parts.append((path, tuple(groups.tolist()), rows))
        start += sum(sizes)
    filled = [[split for split in np.unique(plan.split_of[rows]).tolist() if split >= 0] for _, _, rows in parts]
    shard_counts = Counter(split for splits in filled for split in splits)
    used: Counter[int] = Counter()
    units = []
    for index, ((path, row_groups, rows), splits) in enumerate(zip(parts, filled, strict=True)):
        outputs = {}
        for split in splits:
            name = shard_name(plan.splits[split], used[split], shard_counts[split])
            outputs[plan.splits[split]] = FileSystems.join(destination, name)
            used[split] += 1
        unusual = {int(row): int(variants[rows][row]) for row in np.flatnonzero(variants[rows] > 1)}
        pairs = enumerate(zip(group_of[rows], digests[rows], strict=True))
        joined = {row: group for row, (group, digest) in pairs if group != digest}
        per_row = (plan.split_of[rows], plan.copies_of[rows])
        units.append(ParquetUnit(index, path, row_groups, *per_row, joined, unusual, outputs))
    return units, float(costs.sum())


def _summary(
    plan: Plan, split: SplitOptions, balance: BalanceOptions, ingested: dict[str, Any], counts: Counts
) -> dict[str, Any]:
    return {
        "counts": counts_of(plan),
        "deviations": [
            {"label": cell.label, "split": cell.split, "planned": cell.planned, "deviation": cell.deviation}
            for cell in plan.cells
            if cell.deviation
        ],
        "leaks": [{"group": group, "splits": list(splits)} for group, splits in plan.leaks[:_LEAKS_LISTED]],
        "leaking_groups": len(plan.leaks),
        "seed": split.seed,
        "shares": {name: getattr(split, name) for name in SPLITS},
        "balanced": list(balance.splits),
        "global_multiplier": balance.global_multiplier,
        "max_copies_per_image": balance.max_copies_per_image,
        "made_copies": counts.get("copies", 0),
        "resized_copies": counts.get("resized", 0),
        "classes": ingested.get("classes", {}),
        "constant": ingested.get("constant", {}),
        "given_splits": ingested.get("given_splits", {}),
        "data_digest": ingested.get("data_digest", ""),
    }
