"""Read a table of text as it was published, or as a spreadsheet saved it. Pure.

Separated by comma, semicolon or tab; in UTF-8 (with a byte order mark or without), UTF-16, or else Windows-1252.
Columns are found by name, in any case and with blanks around.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components.images.source import SourceError
from components.tools.wording import counted

# What a column of images' paths is usually called.
PATHS = ("path", "pth", "filepath", "file_path", "image_path", "img_path", "filename", "file_name", "file", "image",
         "image_name", "image name", "img", "image_id", "id_code")  # fmt: skip
# Encodings that need no word: nobody has to guess them.
UNICODE = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
_SEPARATORS = (",", ";", "\t")
_NO_TEXT = {
    b"PK\3\4": "a spreadsheet or a zip archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"\x1f\x8b": "compressed by gzip",
    b"PAR1": "a Parquet file",
}
_HEAD = 4096  # bytes that tell the encoding; an even number


class NoSuchTable(SourceError):
    """A file that isn't a table with the columns that are looked for."""


@dataclass(frozen=True)
class TextTable:
    """A table whose lines are read as they are asked for.

    Attributes:
        where: its name, for messages.
        header: names of the columns.
        lines: number and fields of each line that isn't empty; without blanks around the fields, one a column.
        separator: of the fields.
        encoding: that it was read as.
    """

    where: str
    header: Sequence[str]
    lines: Iterator[tuple[int, list[str]]]
    separator: str
    encoding: str

    def column(self, asked: str | None, usual: Sequence[str], what: str, option: str) -> int:
        """Return the place of a column.

        Args:
            asked: its name; None for a usual one.
            usual: names that it usually has, in small letters.
            what: that it holds, which is its plainest name.
            option: that names it.

        Raises:
            NoSuchTable: it isn't there, or several could be meant.
        """
        if asked is not None:
            return self.named(asked, option)
        found = [index for index, name in enumerate(self.header) if name.lower() in usual]
        if len(found) == 1:
            return found[0]
        exact = [index for index in found if self.header[index].lower() == what]
        if len(exact) == 1:
            return exact[0]
        several = (
            f"several columns that may be the {what}" if found else f"no column that is called {what}, or usually so"
        )
        raise NoSuchTable(f"{self.where} has {several}: name it by {_example(option)}. Received: {shown(self.header)}")

    def named(self, name: str, option: str) -> int:
        """Return the place of the column of that name.

        Raises:
            NoSuchTable: there is none, or two.
        """
        found = [index for index, one in enumerate(self.header) if one == name.strip()]
        found = found or [index for index, one in enumerate(self.header) if one.lower() == name.strip().lower()]
        if len(found) != 1:
            number = "two columns" if found else "no column"
            raise NoSuchTable(f"{self.where} has {number} {name}, {option}. Received: {shown(self.header)}")
        return found[0]


def read_text_table(data: bytes, where: str) -> TextTable:
    """Read a table's header; its lines follow when they are asked for.

    Args:
        data: of the file.
        where: the file, for messages.

    Raises:
        NoSuchTable: it is empty.
        SourceError: it isn't text; and, when lines are asked for, one can't be read. The message names it.
    """
    text, encoding = _decoded(data, where)
    separator = max(_SEPARATORS, key=text.lstrip("\r\n").partition("\n")[0].count)
    found = _split(text, separator, where)
    try:
        _, header = next(found)
    except StopIteration:
        raise NoSuchTable(f"{where} is empty: it needs a line with the names of its columns") from None

    def lines() -> Iterator[tuple[int, list[str]]]:
        for number, cells in found:
            if len(cells) > len(header):
                what = f"{counted(len(cells), 'field')}, and {counted(len(header), 'column')}"
                raise SourceError(
                    f"{where}, line {number}: {what}: put quotation marks around values that hold the "
                    f"separator. Received: {shown(cells)}"
                )
            yield number, cells + [""] * (len(header) - len(cells))

    return TextTable(where, header, lines(), separator, encoding)


def shown(values: Sequence[str]) -> str:
    """Return the first of some values, and how many there are if these aren't all."""
    return ", ".join(values[:12]) + (f", … ({len(values)})" if len(values) > 12 else "")


def _example(option: str) -> str:
    section, _, key = option.rpartition(".")
    return f"{option}=…" if section == "data" else f"{section}={{{key}: …}}"


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


def _split(text: str, separator: str, where: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines with their numbers, without blanks around the fields and without empty lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        for cells in reader:
            if any(cells):
                yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise SourceError(f"{where}, line {reader.line_num}: {error}") from None
