"""The tables that `datasplit` leaves beside the images, as somebody else reads them: they may be stale, or forged."""

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from components.images.source import SourceError
from components.tools.printable import printable

SPLIT_TABLES = ("train.csv", "test.csv")
LINEAGE = "lineage.csv"
# Paths of an augmented copy and of the image it was made from, below the data folder, and the copy's number.
LINEAGE_HEADER = ("file", "source", "copy")
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


def read_lineage(text: str, files: Collection[str]) -> Mapping[str, tuple[str, int]] | None:
    """Return source and copy number of each copy that `lineage.csv` lists; None where it is somebody else's table.

    Args:
        text: of the table.
        files: ids of the images that are there, usable or not. Nothing else can be named, so no path leads elsewhere.

    Raises:
        SourceError: the table names a file that isn't there, or contradicts itself; the first such line is named.
    """
    rows = read_rows(LINEAGE, text, LINEAGE_HEADER)
    if rows is None:
        return None
    files = set(files)
    found: dict[str, tuple[str, int]] = {}
    for file, source, number in rows:
        copy, original = printable(file), printable(source)
        if file not in files:
            raise SourceError(f"{LINEAGE} lists a copy that is not there: {copy}. {_REMEDY}")
        if source not in files:
            raise SourceError(f"{LINEAGE} names a source of {copy} that is not there: {original}. {_REMEDY}")
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            raise SourceError(f"{LINEAGE} has no copy number for {copy}. Received: {printable(number)[:40]}. {_REMEDY}")
        if found.setdefault(file, (source, int(number))) != (source, int(number)):
            raise SourceError(f"{LINEAGE} gives {copy} two sources: {printable(found[file][0])}, {original}. {_REMEDY}")
    for file in found:
        chain = [file]
        while chain[-1] in found:
            chain.append(found[chain[-1]][0])
            if chain[-1] in chain[:-1]:
                raise SourceError(f"{LINEAGE} makes {printable(file)} a copy of itself. {_REMEDY}")
    return found
