"""Give whole groups of images to splits so that every class's counts come as near as can be to their targets.

Images that are a group of their own fill any gap, so only groups of several images are searched. With the targets of a
class summing to its images, the sum of all deviations is twice the overflow: what the several-image groups of a class
put into a split beyond its target. The search makes that 0 wherever it can:

1. biggest groups first, each into a split where nothing flows over, drawn by the room that is left;
2. single moves and swaps while they reduce the overflow;
3. where something still flows over and the problem is small, every reachable state (exact).
"""

import random
from collections.abc import Iterator, Sequence
from itertools import pairwise

# A group as its images per class.
Group = dict[int, int]
# Targets, or what was placed: one row a class, one column a split.
Counts = list[list[int]]

# States of the exact search (about 1 µs and 200 bytes each), and proposals of the local one, before they give up.
_MOST_STATES = 300_000
_MOST_SWAPS = 20_000


def assign_groups(
    groups: Sequence[Group], targets: Sequence[Sequence[int]], rng: random.Random, *, exact: bool = True
) -> list[int]:
    """Return the split of each group.

    Args:
        groups: groups of several images; the order decides between equals, so it must not depend on a listing's.
        targets: images of each class (row) in each split (column), single images included.
        rng: decides where groups go that could go to several splits.
        exact: search every reachable state where moves and swaps leave something; slow with many splits.
    """
    chosen = [0] * len(groups)
    for members, classes in _components(groups):
        part = [groups[i] for i in members]
        rows = {label: row for row, label in enumerate(classes)}
        part = [{rows[label]: count for label, count in group.items()} for group in part]
        wanted = [list(targets[label]) for label in classes]
        for member, split in zip(members, _assign_component(part, wanted, rng, exact), strict=True):
            chosen[member] = split
    return chosen


def _components(groups: Sequence[Group]) -> Iterator[tuple[list[int], list[int]]]:
    """Yield groups that share classes, directly or through others, with those classes: each part is its own problem."""
    parent: dict[int, int] = {}

    def find(label: int) -> int:
        while parent.setdefault(label, label) != label:
            label = parent[label]
        return label

    for group in groups:
        for first, second in pairwise(sorted(group)):
            parent[find(first)] = find(second)
    parts: dict[int, list[int]] = {}
    for index, group in enumerate(groups):
        parts.setdefault(find(min(group)), []).append(index)
    for root in sorted(parts):
        yield parts[root], sorted({label for index in parts[root] for label in groups[index]})


def _assign_component(groups: list[Group], targets: Counts, rng: random.Random, exact: bool) -> list[int]:
    splits = len(targets[0])
    order = sorted(range(len(groups)), key=lambda i: -sum(groups[i].values()))
    placed = [[0] * splits for _ in targets]
    chosen = [0] * len(groups)
    for index in order:
        chosen[index] = _roomiest(groups[index], placed, targets, rng)
        _place(groups[index], placed, chosen[index], 1)
    if _overflow(placed, targets):
        _improve(groups, chosen, placed, targets, rng)
    if exact and (best := _overflow(placed, targets)):
        found = _search(groups, order, targets, best)
        if found is not None:
            return found
    return chosen


def _roomiest(group: Group, placed: Counts, targets: Counts, rng: random.Random) -> int:
    """Return the split in which least flows over; among equals one drawn by the room that is left."""
    splits = range(len(targets[0]))
    overflows = [
        sum(
            max(0, placed[row][split] + count - max(targets[row][split], placed[row][split]))
            for row, count in group.items()
        )
        for split in splits
    ]
    least = min(overflows)
    rooms = [
        sum(max(0, targets[row][split] - placed[row][split]) for row in group) if overflows[split] == least else 0
        for split in splits
    ]
    draw = rng.random() * sum(rooms)
    for split in splits:
        draw -= rooms[split]
        if draw < 0:
            return split
    return overflows.index(least)


def _place(group: Group, placed: Counts, split: int, sign: int) -> None:
    for row, count in group.items():
        placed[row][split] += sign * count


def _overflow(placed: Counts, targets: Counts) -> int:
    return sum(
        max(0, have - want)
        for row, wanted in zip(placed, targets, strict=True)
        for have, want in zip(row, wanted, strict=True)
    )


def _improve(groups: list[Group], chosen: list[int], placed: Counts, targets: Counts, rng: random.Random) -> None:
    """Move single groups and swap pairs, in place, as long as that reduces the overflow."""
    splits = len(targets[0])

    def relocated(changes: list[tuple[int, int]]) -> bool:
        """Make the changes (group, new split) if less flows over with them."""
        rows = {row for index, _ in changes for row in groups[index]}
        before = sum(max(0, placed[row][s] - targets[row][s]) for row in rows for s in range(splits))
        for index, split in changes:
            _place(groups[index], placed, chosen[index], -1)
            _place(groups[index], placed, split, 1)
        if sum(max(0, placed[row][s] - targets[row][s]) for row in rows for s in range(splits)) < before:
            for index, split in changes:
                chosen[index] = split
            return True
        for index, split in changes:
            _place(groups[index], placed, split, -1)
            _place(groups[index], placed, chosen[index], 1)
        return False

    def moves() -> bool:
        return sum(relocated([(i, s)]) for i in range(len(groups)) for s in range(splits) if s != chosen[i]) > 0

    moved = True
    while moved and _overflow(placed, targets):
        moved = moves()
        for _ in range(min(_MOST_SWAPS, 4 * len(groups) ** 2)):
            first, second = int(rng.random() * len(groups)), int(rng.random() * len(groups))
            if chosen[first] != chosen[second]:
                moved |= relocated([(first, chosen[second]), (second, chosen[first])])


def _search(groups: list[Group], order: list[int], targets: Counts, best: int) -> list[int] | None:
    """Return the assignment of least overflow, if that is less than `best`; None if not, or if there are too many.

    A state holds what was placed in all splits but the last, whose counts follow from the rest. Overflow never shrinks
    on the way, so a state that has reached `best` is dropped.
    """
    splits, rows = len(targets[0]), len(targets)
    layers: list[dict[tuple[int, ...], tuple[tuple[int, ...], int]]] = []
    states: list[tuple[int, ...]] = [(0,) * (rows * (splits - 1))]
    total, seen = [0] * rows, 0

    def flowing_over(state: tuple[int, ...]) -> int:
        over = 0
        for row in range(rows):
            placed = state[row * (splits - 1) : (row + 1) * (splits - 1)]
            over += sum(max(0, have - want) for have, want in zip(placed, targets[row], strict=False))
            over += max(0, total[row] - sum(placed) - targets[row][-1])
        return over

    for index in order:
        for row, count in groups[index].items():
            total[row] += count
        layer: dict[tuple[int, ...], tuple[tuple[int, ...], int]] = {}
        for state in states:
            for split in range(splits):
                placed = list(state)
                if split < splits - 1:
                    for row, count in groups[index].items():
                        placed[row * (splits - 1) + split] += count
                following = tuple(placed)
                if following not in layer and flowing_over(following) < best:
                    layer[following] = (state, split)
        layers.append(layer)
        states = list(layer)
        seen += len(states)
        if not states or seen > _MOST_STATES:
            return None
    state = min(states, key=flowing_over)
    chosen = [0] * len(groups)
    for index, layer in zip(reversed(order), reversed(layers), strict=True):
        state, chosen[index] = layer[state]
    return chosen
