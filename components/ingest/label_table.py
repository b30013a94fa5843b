"""Read a table of labels as it was published, or as a spreadsheet saved it (see `text_table`). Pure.

Votes (FER+): an image's label is the class with the most votes, and its distribution the classes' shares of the votes.
An image whose votes name no class has no label: where two classes share the first place, or the columns for "not sure"
hold as many votes as the best class.

A list of suspicious labels (`affect suspects --export`) is such a table. Its columns `given` and `suggested` tell it:
there a row without a label is not decided, and says nothing. In any table a `yes` in a column `exclude` leaves an image
out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from components.images.source import SourceError
from components.ingest.options import LabelColumns
from components.ingest.table_columns import TableColumns, find_columns
from components.ingest.text_table import read_text_table, shown

_YES, _NO = ("yes", "true", "x", "1"), ("", "no", "false", "0")


@dataclass(frozen=True)
class Label:
    """What a table says of one image.

    Attributes:
        name: class; "" where the votes name none.
        confidence: of the label, 0–1 as a rule; None without such a column.
        votes: each class's share of the votes; None without votes.
        left_out: why the image isn't used; "" for one with a class.
    """

    name: str
    confidence: float | None = None
    votes: Mapping[str, float] | None = None
    left_out: str = ""


EXCLUDED = Label("", left_out="excluded by data.labels_csv")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    line: int
    path: str
    label: Label


@dataclass(frozen=True)
class LabelTable:
    """A table.

    Attributes:
        where: its name, for messages.
        rows: in the order of the file.
        without_path: rows that have votes but name no image, as FER+ has of images it dropped.
        encoding: that it was read as.
        undecided: rows of a list of suspicious labels that nobody has decided.
    """

    where: str
    rows: Sequence[Row]
    without_path: int
    encoding: str
    undecided: int = 0


def read_label_table(
    data: bytes,
    where: str,
    columns: LabelColumns | None = None,
    names: Mapping[str, str] | None = None,
    *,
    with_confidence: bool = True,
) -> LabelTable:
    """Read a table.

    Args:
        data: of the file.
        where: the file, for messages.
        columns: names of the columns, where they aren't usual ones.
        names: class names by what stands in the label's column, such as "3".
        with_confidence: whether the column of confidences, if there is one, is read.

    Raises:
        NoSuchTable: a column isn't there, or several could be meant.
        SourceError: a line can't be read; the message names line and column.
    """
    table = read_text_table(data, where)
    header = table.header
    found = find_columns(table, columns or LabelColumns(), with_confidence=with_confidence)
    rows, without_path, undecided = [], 0, 0
    for number, cells in table.lines:
        place = f"{where}, line {number}"
        path = cells[found.path]
        if not path and found.label is None:
            without_path += 1
        elif not path:
            raise SourceError(f"{place}, column {header[found.path]}: empty; name an image or take the line out")
        elif found.exclude is not None and _is_yes(cells[found.exclude], f"{place}, column {header[found.exclude]}"):
            rows.append(Row(number, path, EXCLUDED))
        elif found.is_list and found.label is not None and not cells[found.label]:
            undecided += 1
        else:
            rows.append(Row(number, path, _label(cells, header, found, names, place)))
    return LabelTable(where, rows, without_path, table.encoding, undecided)


def _label(
    cells: Sequence[str], header: Sequence[str], columns: TableColumns, names: Mapping[str, str] | None, place: str
) -> Label:
    if columns.label is None:
        every = (*columns.votes, *columns.unsure)
        counts = {i: _number(cells[i] or "0", f"{place}, column {header[i]}") for i in every}
        unsure = max((counts[i] for i in columns.unsure), default=0.0)
        found = _voted({header[i]: counts[i] for i in columns.votes}, unsure)
    else:
        found = Label(_name(cells[columns.label], names, f"{place}, column {header[columns.label]}"))
    if columns.confidence is None:
        return found
    sure = _number(cells[columns.confidence], f"{place}, column {header[columns.confidence]}")
    return replace(found, confidence=sure)


def read_names(data: bytes, where: str) -> dict[str, str]:
    """Read class names by what a table of labels has in their place: two columns, such as `0,neutral`, and a header.

    Raises:
        SourceError: a line has other than two fields, or names a class twice.
    """
    names: dict[str, str] = {}
    for number, cells in read_text_table(data, where).lines:
        if len(cells) != 2 or not all(cells):
            raise SourceError(f"{where}, line {number}: needs a number and a class name. Received: {shown(cells)}")
        if names.setdefault(cells[0], cells[1]) != cells[1]:
            raise SourceError(f"{where}, line {number}: {cells[0]} is {names[cells[0]]} already. Received: {cells[1]}")
    return names


def _name(value: str, names: Mapping[str, str] | None, place: str) -> str:
    if not value:
        raise SourceError(f"{place}: empty; name a class or take the line out")
    if names is None:
        return value
    # Spreadsheets write whole numbers of a column with gaps as 3.0.
    known = names.get(value) or names.get(value.removesuffix(".0"))
    if known is None:
        raise SourceError(f"{place}: data.label_names has no name for {value}. Received: {shown(list(names))}")
    return known


def _is_yes(value: str, place: str) -> bool:
    if value.lower() not in (*_YES, *_NO):
        raise SourceError(f"{place}: yes leaves the image out, and no or nothing keeps it. Received: {value}")
    return value.lower() in _YES


def _number(value: str, place: str) -> float:
    try:
        number = float(value.replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise SourceError(f"{place}: not a number. Received: {value!r}")
    if number < 0:
        raise SourceError(f"{place}: must be at least 0. Received: {value}")
    return number


def _voted(votes: Mapping[str, float], unsure: float) -> Label:
    """Return the label that votes come to; see the module's rule."""
    total = sum(votes.values())
    best = max(votes.values(), default=0.0)
    first = [name for name, count in votes.items() if count == best]
    if best == 0 or len(first) > 1 or unsure >= best:
        return Label("", left_out="the votes name no class")
    return Label(first[0], votes={name: count / total for name, count in votes.items() if count})
