"""What is said of augmented copies: how many an original has, where that is a lot, and what a bound leaves out."""

from collections.abc import Iterable, Mapping
from typing import Any

from components.split.plan import Cell, Plan
from components.tools.wording import counted, named

MANY = 20  # copies of an original, beyond which they are said to add little
_NAMED = 8  # classes in a line
_COUNTED = ("originals", "copies", "planned", "missing")


def counts_of(plan: Plan) -> dict[str, dict[str, dict[str, int]]]:
    """Return a summary's `counts`, by split and class."""
    counts: dict[str, dict[str, dict[str, int]]] = {split: {} for split in plan.splits}
    for cell in plan.cells:
        counts[cell.split][cell.label] = {name: getattr(cell, name) for name in _COUNTED}
    return counts


def cells_of(counts: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[Cell]:
    """Return the cells of a summary's `counts`, which may be of an earlier program."""
    return [
        Cell(label, split, one["originals"], one["copies"], one.get("planned", 0), one.get("missing", 0))
        for split, by_label in counts.items()
        for label, one in by_label.items()
    ]


def copies_by_class(cells: Iterable[Cell]) -> list[str]:
    """Return a line for each split that has copies: how many an original of each class, the most first."""
    lines = []
    for split, found in _by_split(cells).items():
        if copied := [(cell.label, _number(cell)) for cell in found if cell.copies]:
            lines.append(f"Copies per original in {split}: {_listed(copied)}.")
    return lines


def too_many(cells: Iterable[Cell], remedy: str) -> str | None:
    """Return a warning where an original has more than `MANY` copies; None where none has.

    Args:
        cells: of a plan.
        remedy: what to set instead.
    """
    many = [
        (f"{cell.label} in {cell.split}", f"{_number(cell)} of each of {cell.originals}")
        for found in _by_split(cells).values()
        for cell in found
        if cell.copies_per_original > MANY
    ]
    if not many:
        return None
    return f"More than {MANY} copies of an original add little to learn from: {_listed(many)}. {remedy}."


def left_out(cells: Iterable[Cell], bound: int | None, remedy: str) -> str | None:
    """Return what the bound on copies leaves out; None where it leaves nothing out.

    Args:
        cells: of a plan.
        bound: on the copies of an image.
        remedy: what makes up for it.
    """
    short = [
        (f"{cell.label} in {cell.split}", f"{cell.originals + cell.copies:,} of {cell.planned + cell.missing:,} images")
        for found in _by_split(cells).values()
        for cell in found
        if cell.missing
    ]
    if not short:
        return None
    most = counted(bound or 0, "copy", "copies")
    return f"Filled up no further, since an image has {most} at most: {_listed(short)}. {remedy}."


def _by_split(cells: Iterable[Cell]) -> dict[str, list[Cell]]:
    """Return the cells of each split, those with the most copies per original first."""
    splits: dict[str, list[Cell]] = {}
    for cell in sorted(cells, key=lambda cell: (-cell.copies_per_original, cell.label)):
        splits.setdefault(cell.split, []).append(cell)
    return dict(sorted(splits.items(), key=lambda item: ("train", "eval", "test").index(item[0])))


def _number(cell: Cell) -> str:
    return f"{cell.copies_per_original:.1f}"


def _listed(values: list[tuple[str, str]]) -> str:
    return named([f"{name} {value}" for name, value in values], _NAMED)
