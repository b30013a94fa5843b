"""Read a table of labels as it was published, or as a spreadsheet saved it (see `text_table`). Pure.

Columns that nobody asks for are left alone.

Votes (FER+): an image's label is the class with the most votes, and its distribution the classes' shares of the votes.
An image whose votes name no class has no label: where two classes share the first place, or the columns for "not sure"
hold as many votes as the best class.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.images.source import SourceError
from components.ingest.options import LabelColumns
from components.ingest.text_table import PATHS, TextTable, read_text_table, shown

_LABELS = ("label", "class", "emotion", "expression", "category", "target", "class_name", "label_name", "diagnosis")
_CONFIDENCES = ("confidence", "relfcs")


@dataclass(frozen=True)
class Label:
    """What a table says of one image.

    Attributes:
        name: class; "" where the votes name none.
        confidence: of the label, 0–1 as a rule; None without such a column.
        votes: each class's share of the votes; None without votes.
    """

    name: str
    confidence: float | None = None
    votes: Mapping[str, float] | None = None


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
    """

    where: str
    rows: Sequence[Row]
    without_path: int
    encoding: str


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
    columns = columns or LabelColumns()
    table = read_text_table(data, where)
    header = table.header
    path = table.column(columns.path, PATHS, "path", "data.labels_columns.path")
    votes = [table.named(name, "data.labels_columns.votes") for name in columns.votes]
    unsure = [table.named(name, "data.labels_columns.unsure") for name in columns.unsure]
    label = None if votes else table.column(columns.label, _LABELS, "label", "data.labels_columns.label")
    confidence = _confidence(table, columns) if with_confidence else None
    rows, without_path = [], 0
    for number, cells in table.lines:
        place = f"{where}, line {number}"
        if not cells[path] and votes:
            without_path += 1
            continue
        if not cells[path]:
            raise SourceError(f"{place}, column {header[path]}: empty; name an image or take the line out")
        if label is None:
            counts = {i: _number(cells[i] or "0", f"{place}, column {header[i]}") for i in (*votes, *unsure)}
            found = _voted({header[i]: counts[i] for i in votes}, max((counts[i] for i in unsure), default=0.0))
        else:
            found = Label(_name(cells[label], names, f"{place}, column {header[label]}"))
        if confidence is not None:
            sure = _number(cells[confidence], f"{place}, column {header[confidence]}")
            found = Label(found.name, sure, found.votes)
        rows.append(Row(number, cells[path], found))
    return LabelTable(where, rows, without_path, table.encoding)


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


def _confidence(table: TextTable, columns: LabelColumns) -> int | None:
    if columns.confidence is not None:
        return table.named(columns.confidence, "data.labels_columns.confidence")
    return next((index for index, name in enumerate(table.header) if name.lower() in _CONFIDENCES), None)


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
        return Label("")
    return Label(first[0], votes={name: count / total for name, count in votes.items() if count})
