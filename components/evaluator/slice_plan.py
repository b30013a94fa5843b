"""Which slices of the test split are looked at: how the values of a table's columns divide the images. Pure.

A column of a few different values is sliced by value; one of many numbers, such as an age, by the quarters of the
images: its quartiles. One of many different texts divides the images into too many slices to say anything of.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from components.tools.wording import named

NOT_GIVEN = "not given"
_QUARTILES = (0.25, 0.5, 0.75)
_BEYOND = "the columns before it make as many slices as there may be: name it in evaluate.slice_on"
MOST_SLICES = 500  # each takes the Evaluator some hundredths of a second

Slicing = tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """How a column divides the images.

    Attributes:
        name: of the column.
        ends: the highest number of each range but the last; None where each value is a slice.
    """

    name: str
    ends: tuple[float, ...] | None = None

    def slice_of(self, value: str) -> str:
        """Return what the slice of a value is called."""
        if not value:
            return NOT_GIVEN
        if self.ends is None:
            return value
        number = _number(value)
        above = [end for end in self.ends if number > end]
        below = [end for end in self.ends if number <= end]
        parts = [f"over {_plain(above[-1])}"] if above else []
        parts += [f"up to {_plain(below[0])}"] if below else []
        return ", ".join(parts) or "any number"


@dataclass(frozen=True)
class SlicePlan:
    """What is sliced.

    Attributes:
        columns: that are used in a slicing.
        slicings: each the name of a column, or the names of two that are crossed.
        left_out: why a column isn't sliced, by its name.
        beyond: how many of them aren't because those before them make as many slices as there may be.
    """

    columns: tuple[Column, ...] = ()
    slicings: tuple[Slicing, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    beyond: int = 0


def plan_slices(
    images: Sequence[tuple[str, Iterable[tuple[str, str]]]],
    slice_on: Sequence[str | Slicing] | None,
    most: int,
) -> SlicePlan:
    """Decide how the columns of a table divide the images.

    Args:
        images: [N] class and metadata of each; that is a value by column, "" for what isn't given.
        slice_on: columns and pairs of columns to use; None for each column that says something.
        most: different values that a column of texts may have.

    Raises:
        ValueError: a column that is to be used isn't there, or has too many different texts; or there are more than
            `MOST_SLICES`.
    """
    labels = [label for label, _ in images]
    values: dict[str, list[str]] = {}
    for _, metadata in images:
        for name, value in metadata:
            values.setdefault(name, []).append(value)
    if slice_on is None:
        left_out = {name: why for name, column in values.items() if (why := _says_nothing(name, column, labels, most))}
        slicings: list[Slicing] = [(name,) for name in values if name not in left_out]
    else:
        check_columns(slice_on, list(values))
        slicings = [(one,) if isinstance(one, str) else tuple(one) for one in slice_on]
        left_out = {}
        for name in dict.fromkeys(name for slicing in slicings for name in slicing):
            if why := _too_many(values[name], most):
                raise ValueError(f"evaluate.slice_on names {name}, which has {why}")
    used = dict.fromkeys(name for slicing in slicings for name in slicing)
    columns = {name: Column(name, _ends(values[name], most)) for name in used}
    counts = [_slices([columns[name] for name in slicing], values) for slicing in slicings]
    if slice_on is not None and sum(counts) > MOST_SLICES:
        raise ValueError(
            f"evaluate.slice_on makes {sum(counts):,} slices, and {MOST_SLICES} is the most: name fewer columns or "
            "pairs, or such as have fewer values"
        )
    fitting = [slicing for slicing, until in zip(slicings, accumulate(counts), strict=True) if until <= MOST_SLICES]
    beyond = [name for (name,) in slicings[len(fitting) :]] if slice_on is None else []
    left_out |= dict.fromkeys(beyond, _BEYOND)
    kept = dict.fromkeys(name for slicing in fitting for name in slicing)
    return SlicePlan(tuple(columns[name] for name in kept), tuple(fitting), tuple(left_out.items()), len(beyond))


def check_columns(slice_on: Sequence[str | Slicing], columns: Sequence[str]) -> None:
    """Make sure that a table has the columns to slice by.

    Raises:
        ValueError: it lacks one.
    """
    for name in (name for one in slice_on for name in ((one,) if isinstance(one, str) else one)):
        if name not in columns:
            there = named(columns) or "no column"
            raise ValueError(f"evaluate.slice_on names {name}, which data.metadata_csv hasn't. It has {there}")


def _slices(columns: Sequence[Column], values: Mapping[str, Sequence[str]]) -> int:
    """Return how many slices the columns make together, at most."""
    if all(column.ends is None for column in columns):
        return len(set(zip(*(values[column.name] for column in columns), strict=True)))
    return math.prod(
        len(set(values[one.name])) if one.ends is None else len(one.ends) + 1 + ("" in values[one.name])
        for one in columns
    )


def _says_nothing(name: str, values: Sequence[str], labels: Sequence[str], most: int) -> str:
    """Return why a column isn't worth slicing by; "" if it is."""
    given = [value for value in values if value]
    if not given:
        return "no image has a value"
    if len(set(values)) == 1:
        return f"all images have the same value, {given[0]}"
    if len(set(zip(values, labels, strict=True))) == len(set(values)) == len(set(labels)):
        return "it divides the images as the classes do"
    if why := _too_many(values, most):
        return why
    is_name = name.lower() == "id" or name.lower().endswith(("_id", " id", "-id"))
    whole = len(set(given)) == len(given) and all(_number(value).is_integer() for value in given)
    if len(set(given)) > most and (is_name or whole):
        return "its numbers look like names of images or people: evaluate.slice_on takes it nevertheless"
    return ""


def _too_many(values: Sequence[str], most: int) -> str:
    texts = {value for value in values if value}
    if len(texts) <= most or all(map(math.isfinite, map(_number, texts))):
        return ""
    return (
        f"{len(texts):,} different texts, and evaluate.max_slice_values is {most}: raise it, or add a column that sums "
        "them up"
    )


def _ends(values: Sequence[str], most: int) -> tuple[float, ...] | None:
    given = [value for value in values if value]
    if len(set(given)) <= most:
        return None
    numbers = np.array([_number(value) for value in given])
    # Values that occur, so that an end reads as the table has it.
    ends = np.unique(np.quantile(numbers, _QUARTILES, method="inverted_cdf"))
    return tuple(ends[ends < numbers.max()].tolist())


def _number(value: str) -> float:
    """Return a number as a spreadsheet may write it, with a comma for a point; NaN if it isn't one."""
    try:
        return float(value.replace(",", "."))
    except ValueError:
        return math.nan


def _plain(number: float) -> str:
    return str(int(number)) if number.is_integer() else repr(number)
