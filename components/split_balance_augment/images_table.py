"""What the plan needs of the images, taken from the table of an ImageDataset."""

from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from sys import intern
from typing import Any

import numpy as np

from components.formats.dataset import SPLITS
from components.images.hashing import near_duplicates, unsigned
from components.images.places import path_within
from components.split.captures import Captures, captured_keys, count_captures
from components.split.groups import group_images
from components.split.plan import exact
from components.split_balance_augment.options import SplitOptions

_ROWS_AT_A_TIME = 4096


def captures_of(
    table: Any, split: SplitOptions, folders: Sequence[str] = ()
) -> tuple[list[str | None] | None, Captures | None]:
    """Return what `split.group_regex` captures in each image's name or path, and how much; None where there is none.

    Args:
        table: with (at least) the planning columns.
        split: the expression, and what it searches.
        folders: names of the data folders, where there are several; paths are searched below them.

    Raises:
        ValueError: it captures nothing in any original.
    """
    if split.group_regex is None:
        return None, None
    names = table["filename" if split.group_on == "name" else "id"].to_pylist()
    if split.group_on == "path":
        names = [path_within(name, folders) for name in names]
    keys = captured_keys(names, split.group_regex)
    # A copy follows its source; where there are copies alone, their names are all there is.
    originals = np.flatnonzero(table["copy"].to_numpy() == 0).tolist() or range(len(names))
    option = f"split.group_regex = {split.group_regex}"
    counted = [keys[index] for index in originals], [names[index] for index in originals]
    return keys, count_captures(*counted, split.group_on, option, "set split.group_on=path")


def near_pairs(table: Any) -> list[tuple[int, int]]:
    """Return index pairs of near-duplicates in a table with (at least) the planning columns."""
    return list(near_duplicates([unsigned(phash) for phash in table["phash"].to_pylist()]))


def groups_of(
    table: Any, keys: Sequence[str | None] | None, near: Sequence[tuple[int, int]], apart: Collection[int] = ()
) -> list[str]:
    """Return the group of each image of a table with (at least) the planning columns.

    Args:
        table: of the images.
        keys: of `captures_of`.
        near: pairs that stay together.
        apart: images that are left out, and join nothing.
    """
    return group_images(
        table["pixels"].to_pylist(), near=near, keys=keys, ties=table["group"].to_pylist(), apart=set(apart)
    )


def exact_shares(split: SplitOptions) -> dict[str, Fraction]:
    """Return the share of each split; they sum to 1, whatever the floats do."""
    shares = {name: exact(getattr(split, name)) for name in SPLITS}
    return {name: share / sum(shares.values()) for name, share in shares.items()}


def given_of(table: Any) -> list[str]:
    """Return the split that each image comes with, "" where it is to be decided."""
    return ["" if name == "train" else intern(name) for name in values_of(table["split"])]


def values_of(column: Any) -> Iterator[str]:
    """Yield the values of a column, a chunk at a time."""
    for chunk in column.chunks:
        for start in range(0, len(chunk), _ROWS_AT_A_TIME):
            yield from chunk.slice(start, _ROWS_AT_A_TIME).to_pylist()
