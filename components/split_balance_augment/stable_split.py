"""The stable assignment of an ImageDataset's images to splits, and what is said of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.images.places import name_of
from components.split.plan import given_splits
from components.split.stable import Images, alike_hashes, assign_stably, expected_deviation
from components.split_balance_augment.images_table import exact_shares, given_of
from components.split_balance_augment.options import SplitOptions
from components.tools.wording import counted, named

_NAMED = 5


def is_stable(split: SplitOptions, folders: Sequence[str]) -> bool:
    """Return whether images keep their splits as others come; by default where the data is in several folders."""
    return bool(folders) if split.assignment is None else split.assignment == "stable"


def decided_stably(
    table: Any,
    keys: Sequence[str | None] | None,
    near: Sequence[tuple[int, int]],
    split: SplitOptions,
    folders: Sequence[str],
) -> NDArray[np.int8]:
    """Return the split of each image, as an index: the given one, or by hash; below 0 where it is left out.

    Args:
        table: with (at least) the planning columns.
        keys: what `split.group_regex` captures in each image's name.
        near: pairs of near-duplicates that stay together.
        split: shares, seed.
        folders: names of the data folders in the order of their age.
    """
    ids = table["id"].to_pylist()
    age = {name: number for number, name in enumerate(folders)}
    hashes = table["phash"].to_pylist() if near else [None] * len(ids)
    images = Images(
        ids=ids,
        pixels=table["pixels"].to_pylist(),
        keys=keys or [None] * len(ids),
        ties=table["group"].to_pylist(),
        ages=[age.get(name_of(one, age), 0) for one in ids],
        hashes=hashes,
        alike=alike_hashes(hashes, near),
    )
    shares = exact_shares(split)
    fixed, given = given_splits(tuple(shares), given_of(table), len(ids))
    cut = [number for number in range(len(shares)) if number not in fixed]
    free = np.flatnonzero(given < 0)
    found = assign_stably(images, free.tolist(), [list(shares.values())[number] for number in cut], split.seed)
    places = np.asarray(found)[free]
    given[free] = np.where(places < 0, -1, np.asarray(cut)[places])
    return given


def describe_stable(
    split_of: NDArray[np.int8], groups: Sequence[str], ids: Sequence[str], shares: Mapping[str, float]
) -> dict[str, Any]:
    """Return what the summary says of the assignment.

    Args:
        split_of: the split of each image, as an index; below 0 where it is left out.
        groups: of each image.
        ids: of each image.
        shares: that were asked for.

    Returns:
        `rule`, `splits` with `images`, `share`, `asked` and `expected` (one standard deviation) of each, how many are
        `left_out` and the `first` of them, and `text` and `warning`, sentences; "" where there is nothing to say.
    """
    left_out = sorted(ids[index] for index in np.flatnonzero(split_of < 0).tolist())
    inside = [group for group, split in zip(groups, split_of.tolist(), strict=True) if split >= 0]
    splits = {}
    for number, (name, asked) in enumerate(shares.items()):
        images = int((split_of == number).sum())
        expected = expected_deviation(inside, asked) / len(inside)
        splits[name] = {"images": images, "share": images / len(inside), "asked": asked, "expected": expected}
    said = ", ".join(
        f"{name} {one['share']:.1%} ({one['asked']:.0%} ± {100 * one['expected']:.1f} expected)"
        for name, one in splits.items()
    )
    text = f"Split by hash, so that no image moves as others come: {said}."
    warning = ""
    if left_out:
        which = counted(len(left_out), "image is left out: it", "images are left out: each")
        warning = (
            f"{which} belongs together with older images of two splits, so it would leak from one into the other "
            f"({named(left_out, _NAMED)})."
        )
    return {
        "rule": "stable",
        "splits": splits,
        "left_out": len(left_out),
        "first": left_out[:_NAMED],
        "text": text,
        "warning": warning,
    }
