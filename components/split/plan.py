"""Decide each image's split and number of augmented copies: pure, exact, and the same for any order of the images.

Shares and multiplier are exact fractions of the decimals that were typed, so no count depends on a float. For a class
of n images and cumulative shares c₁, c₂, …, the boundaries between the splits lie at c·n, halves rounded up. Balancing
takes the boundaries b of the largest class (N images) and fills every class to ⌈M·b₁⌉ in the first split,
⌈M·b₂⌉ - ⌈M·b₁⌉ in the second, …, ⌈M·(N - b)⌉ in the last; originals are all kept. Another target than the largest class
and a bound on the copies of an image are in `components.split.fill`.

Where something else has decided on the splits (see `components.split.stable`), the numbers of a class follow from that.

What is divided is the group, never the image (see `components.split.groups`).
"""

import hashlib
import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from components.split.assign import assign_groups
from components.split.fill import Target, allowed, boundaries, filled


@dataclass(frozen=True)
class Rules:
    """What a plan must fulfil.

    Attributes:
        shares: share of each split, in the order train, (eval,) test.
        balanced: splits in which every class is filled up to the same number of images.
        multiplier: images a class relative to the largest one, at least 1; counts only where `balanced` does.
        seed: decides which images go where and which get one copy more than others.
        max_copies: copies of an image at most; None: as many as it takes.
        target: what classes are filled up to; counts only where `balanced` does.
    """

    shares: Mapping[str, Fraction]
    balanced: Collection[str]
    multiplier: Fraction
    seed: int
    max_copies: int | None = None
    target: Target = "largest"

    def __post_init__(self) -> None:
        if any(share <= 0 for share in self.shares.values()) or sum(self.shares.values()) != 1:
            raise ValueError(f"shares must be positive and sum to 1. Received: {_decimals(self.shares)}")
        if self.multiplier < 1:
            raise ValueError(f"multiplier must be at least 1. Received: {float(self.multiplier)}")
        if any(isinstance(value, int) and value < 1 for value in (self.max_copies, self.target)):
            received = f"{self.max_copies}, {self.target}"
            raise ValueError(f"copies of an image and images of a class must be at least 1. Received: {received}")
        if unknown := set(self.balanced) - set(self.shares):
            raise ValueError(f"can't balance {sorted(unknown)}. Received splits: {list(self.shares)}")


@dataclass(frozen=True)
class Cell:
    """One class in one split.

    Attributes:
        label: class name.
        split: split name.
        originals: images that are nobody's copy.
        copies: augmented ones: those to be made, and those that the data came with.
        planned: what the rules ask for, originals and copies together.
        missing: images that the class isn't filled up with, since that would take more copies of one than allowed.
    """

    label: str
    split: str
    originals: int
    copies: int
    planned: int
    missing: int = 0

    @property
    def copies_per_original(self) -> float:
        """Copies, by originals; 0 where there are none."""
        return self.copies / self.originals if self.originals else 0.0

    @property
    def deviation(self) -> int:
        """Images more (or fewer, if negative) than planned, since a group can't be divided."""
        return self.originals + self.copies - self.planned


@dataclass(frozen=True)
class Plan:
    """The outcome.

    Attributes:
        splits: names of the splits, in order.
        split_of: index of each image's split; below 0 where it is left out.
        copies_of: number of augmented copies to make of each image.
        cells: one a class and split, sorted by class, splits in order.
        leaks: groups that lie in several splits, which only a given split can cause, with those splits.
    """

    splits: tuple[str, ...]
    split_of: NDArray[np.int8]
    copies_of: NDArray[np.int32]
    cells: tuple[Cell, ...]
    leaks: tuple[tuple[str, tuple[str, ...]], ...]


def make_plan(
    rules: Rules,
    *,
    labels: Sequence[str],
    digests: Iterable[str],
    ids: Iterable[str],
    groups: Sequence[str] | NDArray[np.int32],
    given: Sequence[str] | None = None,
    augmented: Sequence[bool] | None = None,
    decided: NDArray[np.int8] | None = None,
) -> Plan:
    """Plan the split and the copies.

    Args:
        rules: shares, balance, multiplier and seed.
        labels: class of each image.
        digests: of each image's file, in hex: with the seed, they decide the order in which images are taken.
        ids: of each image, which decide between equal files.
        groups: group of each image.
        given: split that an image has already, or "". Images of a given test or eval split stay there, and the splits
            that are missing are cut from the others.
        augmented: which images are augmented copies already; no copies are made of them where there are originals.
        decided: [N], index of each image's split, where none is given; below 0 leaves it out. None divides exactly.

    Raises:
        ValueError: a given split is none of those in the rules.
    """
    names = tuple(rules.shares)
    classes, label_of = codes(labels)
    group_names, group_of = codes(groups) if not isinstance(groups, np.ndarray) else _renumbered(groups)
    order = random_order(rules.seed, digests, ids)
    fixed, split_of = given_splits(names, given, len(label_of))
    cut = [split for split in range(len(names)) if split not in fixed]

    planned = np.zeros((len(classes), len(names)), dtype=np.int64)
    if decided is not None:
        split_of = np.where(split_of < 0, decided, split_of)
    for pool in [[split] for split in sorted(fixed)] + [cut]:
        divides = pool is cut and decided is None
        inside = split_of < 0 if divides else np.isin(split_of, pool)
        counts = np.bincount(label_of[inside], minlength=len(classes)).tolist()
        shares = [rules.shares[names[split]] for split in pool]
        bounds = [boundaries(shares, count) for count in counts]
        if divides:
            members = order[inside[order]]
            targets = [[end - start for start, end in pairwise(row)] for row in bounds]
            split_of[members] = np.asarray(cut, dtype=np.int8)[
                divide(members, label_of, group_of, targets, random.Random(f"{rules.seed}"))
            ]
        full = filled(rules.target, rules.multiplier, shares, rules.shares[names[0]], counts)
        for column, split in enumerate(pool):
            parts = [row[column + 1] - row[column] for row in bounds]
            if decided is not None and names[split] in rules.balanced:  # what there is, not what was hoped for
                parts = np.bincount(label_of[split_of == split], minlength=len(classes)).tolist()
                if not isinstance(rules.target, int):
                    [full[column]] = filled(rules.target, rules.multiplier, [Fraction(1)], Fraction(1), parts)
            for label, share in enumerate(parts):
                # Classes may have more than a target that isn't the largest's, and keep it.
                most = full[column] if rules.target == "largest" else max(full[column], share)
                planned[label, split] = most if names[split] in rules.balanced else share

    copies_of = np.zeros(len(label_of), dtype=np.int32)
    is_copy = np.zeros(len(label_of), dtype=bool) if augmented is None else np.asarray(augmented, dtype=bool)
    cells = []
    for label, label_name in enumerate(classes):
        for split, split_name in enumerate(names):
            members = order[(label_of[order] == label) & (split_of[order] == split)]
            originals = members[~is_copy[members]]
            wanted = int(planned[label, split])
            asked = max(0, wanted - len(members)) if split_name in rules.balanced else 0
            sources = originals if len(originals) else members
            given_copies = len(members) - len(originals)
            copies = allowed(asked, rules.max_copies, len(sources), len(members) - len(sources))
            if copies:
                each, more = divmod(copies, len(sources))
                copies_of[sources] = each
                copies_of[sources[:more]] += 1
            missing = asked - copies if len(sources) else 0
            total = copies + given_copies
            cells.append(Cell(label_name, split_name, len(originals), total, wanted - missing, missing))
    return Plan(names, split_of, copies_of, tuple(cells), _leaks(names, group_names, group_of, split_of))


def exact(number: float | str) -> Fraction:
    """Return the decimal that was typed, exactly: 0.7 is 7/10, not the nearest float."""
    return Fraction(str(number))


def codes(values: Sequence[str]) -> tuple[list[str], NDArray[np.int32]]:
    """Return the sorted distinct values, and each value's index among them."""
    distinct = sorted(set(values))
    index = {value: i for i, value in enumerate(distinct)}
    return distinct, np.fromiter((index[value] for value in values), dtype=np.int32, count=len(values))


def _renumbered(values: NDArray[np.int32]) -> tuple[list[str], NDArray[np.int32]]:
    """Return the same for numbers."""
    distinct, codes = np.unique(values, return_inverse=True)
    return [str(value) for value in distinct.tolist()], codes.astype(np.int32)


def random_order(seed: int, digests: Iterable[str], ids: Iterable[str]) -> NDArray[np.int64]:
    """Return indices in an order that seed and contents decide, whatever order the images come in."""
    return np.lexsort((_hashed("", ids), _hashed(f"{seed}:", digests)))


def _hashed(prefix: str, texts: Iterable[str]) -> NDArray[np.uint64]:
    start = hashlib.blake2b(prefix.encode(), digest_size=8)

    def digest_of(text: str) -> int:
        state = start.copy()
        state.update(text.encode("utf-8", "surrogatepass"))
        return int.from_bytes(state.digest(), "big")

    return np.fromiter((digest_of(text) for text in texts), dtype=np.uint64)


def given_splits(names: Sequence[str], given: Sequence[str] | None, size: int) -> tuple[set[int], NDArray[np.int8]]:
    """Return the given splits, all but the first of which stay as they are, and each image's: -1 if to be decided."""
    split_of = np.full(size, -1, dtype=np.int8)
    if given is None:
        return set(), split_of
    present = set(given)
    if unknown := present - set(names) - {""}:
        raise ValueError(f"given splits must be in {list(names)}. Received: {sorted(unknown)}")
    fixed = {index for index, name in enumerate(names) if index > 0 and name in present}
    codes = {name: index for index, name in enumerate(names) if index in fixed}
    split_of[:] = [codes.get(name, -1) for name in given]
    return fixed, split_of


def divide(
    members: NDArray[np.int64],
    label_of: NDArray[np.int32],
    group_of: NDArray[np.int32],
    targets: list[list[int]],
    rng: random.Random,
    *,
    exact: bool = True,
) -> NDArray[np.int64]:
    """Return the split of each member: whole groups first, then single images to fill each class's counts exactly.

    Args:
        members: indices of the images to divide, in the order in which they are taken.
        label_of: [N], class of each image.
        group_of: [N], group of each image.
        targets: images of each class (row) in each split (column).
        rng: decides where groups go that could go to several splits.
        exact: see `assign_groups`.
    """
    sizes = np.bincount(group_of[members], minlength=1)
    together: dict[int, list[int]] = {}
    for position in np.flatnonzero(sizes[group_of[members]] > 1).tolist():
        together.setdefault(int(group_of[members[position]]), []).append(position)
    vectors = []
    for positions in together.values():
        found, counts = np.unique(label_of[members[positions]], return_counts=True)
        vectors.append(dict(zip(found.tolist(), counts.tolist(), strict=True)))
    splits = np.full(len(members), -1, dtype=np.int64)
    for positions, split in zip(together.values(), assign_groups(vectors, targets, rng, exact=exact), strict=True):
        splits[positions] = split
    for label, wanted in enumerate(targets):
        inside = label_of[members] == label
        singles = np.flatnonzero(inside & (splits < 0))
        placed = [int(np.count_nonzero(splits[inside] == split)) for split in range(len(wanted))]
        gaps = [max(0, want - have) for want, have in zip(wanted, placed, strict=True)]
        while (excess := sum(gaps) - len(singles)) > 0:  # some split has more than its share: the largest gap stays
            widest = gaps.index(max(gaps))
            gaps[widest] -= min(excess, gaps[widest])
        splits[singles] = np.repeat(np.arange(len(wanted)), gaps)
    return splits


def _leaks(
    names: tuple[str, ...], group_names: list[str], group_of: NDArray[np.int32], split_of: NDArray[np.int8]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    where = np.zeros((len(group_names), len(names)), dtype=bool)
    where[group_of[split_of >= 0], split_of[split_of >= 0]] = True
    return tuple(
        (group_names[group], tuple(name for name, inside in zip(names, where[group], strict=True) if inside))
        for group in np.flatnonzero(where.sum(axis=1) > 1).tolist()
    )


def _decimals(shares: Mapping[str, Fraction]) -> dict[str, float]:
    return {name: float(share) for name, share in shares.items()}
