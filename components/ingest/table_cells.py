"""The cells of a table of labels, however a program or a spreadsheet saved them. Pure.

Separated by comma, semicolon or tab; in UTF-8 (with a byte order mark or without), UTF-16, or else Windows-1252.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components.images.source import SourceError

_SEPARATORS = (",", ";", "\t")
_NO_TEXT = {
    b"PK\3\4": "a spreadsheet or a zip archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"\x1f\x8b": "compressed by gzip",
    b"PAR1": "a Parquet file",
}
_HEAD = 4096  # bytes that tell the encoding; an even number


class NoLabelTable(SourceError):
    """A file that has no columns for paths and labels."""


@dataclass(frozen=True)
class Cells:
    """A table as text.

    Attributes:
        header: names of the columns.
        lines: the others, with their numbers, without blanks around the fields and without empty ones.
        separator: of the fields.
        encoding: that it was read as.
    """

    header: list[str]
    lines: Iterator[tuple[int, list[str]]]
    separator: str
    encoding: str


def read_cells(data: bytes, where: str) -> Cells:
    """Read a table's cells.

    Args:
        data: of the file.
        where: the file, for messages.

    Raises:
        NoLabelTable: it is empty.
        SourceError: it is no text, or (from the lines) a line can't be read.
    """
    text, encoding = _decoded(data, where)
    first = text.lstrip("\r\n").partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)

    def lines() -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
        try:
            for cells in reader:
                if any(cells):
                    yield reader.line_num, [cell.strip() for cell in cells]
        except csv.Error as error:
            raise SourceError(f"{where}, line {reader.line_num}: {error}") from None

    found = lines()
    try:
        _, header = next(found)
    except StopIteration:
        raise NoLabelTable(f"{where} is empty: it needs a line with the names of its columns") from None
    return Cells(header, found, separator, encoding)


def filled(cells: list[str], header: Sequence[str], place: str) -> list[str]:
    """Return a line's fields, as many as there are columns.

    Raises:
        SourceError: there are more.
    """
    if len(cells) > len(header):
        raise SourceError(
            f"{place}: {len(cells)} fields, and {len(header)} columns: put quotation marks around values that hold the "
            f"separator. Received: {shown(cells)}"
        )
    return cells + [""] * (len(header) - len(cells))


def shown(values: Sequence[str]) -> str:
    """Return the first of the values, for a message."""
    return ", ".join(values[:12]) + (f", … ({len(values)})" if len(values) > 12 else "")


def _decoded(data: bytes, where: str) -> tuple[str, str]:
    for start, what in _NO_TEXT.items():
        if data.startswith(start):
            raise SourceError(f"{where} is {what}, not text: save or unpack it as CSV in UTF-8")
    for encoding in _encodings(data[:_HEAD]):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if "\0" in line:
                raise SourceError(f"{where}, line {number}, character {line.index(chr(0)) + 1}: a NUL; take it out")
        return text, encoding
    raise SourceError(f"{where} is neither UTF-8 nor UTF-16: save it as UTF-8")


def _encodings(head: bytes) -> Sequence[str]:
    """Return what a text may be encoded in. Of one in UTF-16 every other byte is a NUL, but for a few."""
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return ("utf-32",)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16",)
    pairs = len(head) // 2
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if pairs and head[start::2].count(0) * 2 > pairs and not head[1 - start :: 2].count(0):
            return (encoding,)
    return ("utf-8-sig", "cp1252", "latin-1")
