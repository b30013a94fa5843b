"""Decisions put into a table for `data.labels_csv`: a new one, or one that is there, whose other lines stay. Pure."""

import csv
import io
from collections.abc import Mapping

from components.images.source import SourceError
from components.ingest.label_table import Label, read_label_table
from components.ingest.match_labels import Finder
from components.ingest.options import LabelColumns
from components.ingest.table_columns import TableColumns, find_columns
from components.ingest.text_table import read_text_table
from pipeline.review.work_list import safe_path

_EXCLUDE = "exclude"
_SURE = "1"  # in a column of confidences: a person has looked


def merged(
    decisions: Mapping[str, Label],
    existing: bytes | None = None,
    where: str = "",
    finder: Finder | None = None,
    columns: LabelColumns | None = None,
    numbers: Mapping[str, str] | None = None,
) -> str:
    """Return the table's text.

    Lines of images that are decided get the new label, or yes in the column `exclude`; images without a line get one at
    the end. Every other cell stays as it is.

    Args:
        decisions: by id.
        existing: the table that is there; None to begin one.
        where: its name, for messages.
        finder: of the run's images, by what the table calls them.
        columns: names of its columns, where they aren't usual ones.
        numbers: class names by what stands for them in the table.

    Raises:
        SourceError: it can't be read, has votes in place of labels, or no name for a class.
    """
    columns = columns or LabelColumns()
    if existing is None:
        existing = f"{columns.path or 'path'},{columns.label or 'label'}\n".encode()
    read_label_table(existing, where, columns, numbers)  # a line that data.labels_csv would refuse is said now
    table = read_text_table(existing, where)
    header = list(table.header)
    found = find_columns(table, columns)
    if found.label is None:
        raise SourceError(
            f"{where} has votes, which a decision can't be added to: make a table of path and label of it"
        )
    lines = [cells for _, cells in table.lines]
    exclude = found.exclude
    if exclude is None and any(label.left_out for label in decisions.values()):
        exclude, header = len(header), [*header, _EXCLUDE]
        lines = [[*cells, ""] for cells in lines]
    line_of: dict[str, list[list[str]]] = {}
    for cells in lines:
        ids = finder.find(cells[found.path]) if finder else []
        if len(ids) == 1:
            line_of.setdefault(ids[0], []).append(cells)
    for file, label in decisions.items():
        if file not in line_of:
            cells = [""] * len(header)
            cells[found.path] = safe_path(file)
            lines.append(cells)
            line_of[file] = [cells]
        for cells in line_of[file]:
            _decide(cells, label, found, exclude, numbers, where)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=table.separator, lineterminator="\n")
    writer.writerows([header, *lines])
    return text.getvalue()


def _decide(
    cells: list[str],
    label: Label,
    columns: TableColumns,
    exclude: int | None,
    numbers: Mapping[str, str] | None,
    where: str,
) -> None:
    assert columns.label is not None
    if exclude is not None:
        cells[exclude] = "yes" if label.left_out else ""
    if columns.confidence is not None:
        cells[columns.confidence] = _SURE
    if not label.left_out:
        cells[columns.label] = _written(label.name, numbers, where)


def _written(name: str, numbers: Mapping[str, str] | None, where: str) -> str:
    """Return what stands for a class in the table."""
    if numbers is None:
        return name
    known = next((number for number, called in numbers.items() if called == name), None)
    if known is None:
        raise SourceError(f"{where} has numbers for classes, and data.label_names none for {name}: add it there")
    return known
