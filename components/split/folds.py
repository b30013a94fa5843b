"""Divide images into folds for cross-fitting: pure, and the same for any order of the images.

What is divided is the group, and of it the originals count: every class has nearly as many in each fold, and the same
number to one image where images are groups of their own. Augmented copies go with their group. Each fold
has two halves, so that a model can be judged, while it is trained, by half a fold that it isn't trained on.

scikit-learn's StratifiedGroupKFold keeps groups whole too, but spreads 29,042 images of 8 classes over 10 folds with
65 images of a class more in one than in another.
"""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.split.plan import codes, divide, random_order

HALVES = 2


def divide_into_folds(
    labels: Sequence[str],
    digests: Sequence[str],
    ids: Sequence[str],
    groups: Sequence[str],
    copies: Sequence[bool],
    folds: int,
    seed: int,
) -> NDArray[np.int64]:
    """Return fold and half of each image, [N, 2], both counted from 0.

    Args:
        labels: class of each image.
        digests: of each image's file, in hex: with the seed, they decide which images go where.
        ids: of each image, which decide between equal files.
        groups: images that share one are in one fold and half.
        copies: which images are augmented copies.
        folds: how many, at least 2.
        seed: of the division.

    Raises:
        ValueError: there are too few groups for that many folds.
    """
    parts = HALVES * folds
    _, group_of = codes(groups)
    is_copy = np.asarray(copies, dtype=bool)
    with_original = np.isin(group_of, group_of[~is_copy])
    counted = np.flatnonzero(~is_copy | ~with_original)  # copies whose originals are elsewhere stand for them
    _, label_of = codes([labels[index] for index in counted])
    order = random_order(seed, [digests[index] for index in counted], [ids[index] for index in counted])
    targets = _targets(np.bincount(label_of), parts)
    # One image more or less changes little here; to find the very best of so many parts may take a minute.
    chosen = divide(order, label_of, group_of[counted], targets, random.Random(f"{seed}"), exact=False)
    part_of_group = np.full(group_of.max(initial=-1) + 1, -1, dtype=np.int64)
    part_of_group[group_of[counted][order]] = chosen
    _fill(part_of_group, group_of[counted][order], ~is_copy[counted][order], parts)
    found = part_of_group[group_of]
    filled = np.unique(found[~is_copy])
    if len(filled) < parts:
        raise ValueError(
            f"evaluate.folds={folds} divides train and eval into {parts} parts, and their {len(part_of_group):,} "
            f"groups of images fill {len(filled)}: set fewer folds"
        )
    return np.stack([found % folds, found // folds], axis=1)


def _fill(part_of_group: NDArray[np.int64], group_of: NDArray[Any], is_original: NDArray[np.bool_], parts: int) -> None:
    """Give each part that has no original the smallest group of the fullest part, where that keeps another one.

    Of few large groups the division may put two into one part, which is nearer to the targets of its classes.

    Args:
        part_of_group: which is changed.
        group_of: each image's, in an order that decides between groups of one size.
        is_original: of each image.
        parts: how many.
    """
    sizes = Counter(group_of[is_original].tolist())
    for empty in range(parts):
        images, groups = [0] * parts, [0] * parts
        for group, size in sizes.items():
            images[part_of_group[group]] += size
            groups[part_of_group[group]] += 1
        fullest = max(range(parts), key=lambda part: (groups[part] > 1, images[part]))
        if groups[empty] == 0 and groups[fullest] > 1:
            inside = [group for group in sizes if part_of_group[group] == fullest]
            part_of_group[min(inside, key=lambda group: sizes[group])] = empty


def _targets(counts: NDArray[np.int64], parts: int) -> list[list[int]]:
    """Return how many images of each class each part should have: what doesn't divide evenly goes round the parts."""
    rows, first = [], 0
    for count in counts.tolist():
        each, more = divmod(count, parts)
        extra = {(first + turn) % parts for turn in range(more)}
        rows.append([each + (part in extra) for part in range(parts)])
        first = (first + more) % parts
    return rows
