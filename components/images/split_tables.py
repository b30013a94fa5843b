"""The tables that `datasplit` leaves beside the images, as somebody else reads them: they may be stale, or forged."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from components.images.source import SourceError

SPLIT_TABLES = ("train.csv", "test.csv")
_REMEDY = "Delete the table if it is stale"


def read_rows(name: str, text: str, header: Sequence[str]) -> Iterator[list[str]] | None:
    """Return a table's rows; None where its header is another one: then it is somebody else's table.

    Args:
        name: of the table.
        text: of the table.
        header: of the table, if it is ours.

    Raises:
        SourceError: (while rows are read) a line isn't CSV, or has more or fewer fields than the header.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        if next(reader, []) != list(header):
            return None
    except csv.Error:
        return None
    return _rows(name, reader, len(header))


def _rows(name: str, reader: Any, fields: int) -> Iterator[list[str]]:
    try:
        for row in reader:
            if row and len(row) != fields:
                raise SourceError(f"{name}, line {reader.line_num}: {len(row)} fields instead of {fields}. {_REMEDY}")
            if row:
                yield row
    except csv.Error as error:  # a NUL, a field without an end
        raise SourceError(f"{name}, line {reader.line_num}: {error}. {_REMEDY}") from None
