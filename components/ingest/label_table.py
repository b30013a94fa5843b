r"""Read a table of labels as it was published, or as a spreadsheet saved it. Pure.

Separated by comma, semicolon or tab; in UTF-8 (with a byte order mark or without), UTF-16, or else Windows-1252.
Columns are found by name, in any case and with blanks around; all others are left alone.

Votes (FER+): an image's label is the class with the most votes, and its distribution the classes' shares of the votes.
An image whose votes name no class has no label: where two classes share the first place, or the columns for "not sure"
hold as many votes as the best class.
"""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.images.source import SourceError
from components.ingest.options import LabelColumns

_PATHS = ("path", "pth", "filepath", "file_path", "image_path", "img_path", "filename", "file_name", "file", "image",
          "image_name", "image name", "img", "image_id", "id_code")  # fmt: skip
_LABELS = ("label", "class", "emotion", "expression", "category", "target", "class_name", "label_name", "diagnosis")
_CONFIDENCES = ("confidence", "relfcs")
_SEPARATORS = (",", ";", "\t")
_NO_TEXT = {
    b"PK\3\4": "a spreadsheet or a zip archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"\x1f\x8b": "compressed by gzip",
    b"PAR1": "a Parquet file",
}
_HEAD = 4096  # bytes that tell the encoding; an even number


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


class NoLabelTable(SourceError):
    """A file that has no columns for paths and labels."""


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
        NoLabelTable: a column isn't there, or several could be meant.
        SourceError: a line can't be read; the message names line and column.
    """
    columns = columns or LabelColumns()
    text, encoding = _decoded(data, where)
    header, lines = _split(text, where)
    path = _column(header, columns.path, _PATHS, "path", where)
    votes = [_named(header, name, "votes", where) for name in columns.votes]
    unsure = [_named(header, name, "unsure", where) for name in columns.unsure]
    label = None if votes else _column(header, columns.label, _LABELS, "label", where)
    confidence = _confidence(header, columns, where) if with_confidence else None
    rows, without_path = [], 0
    for number, cells in lines:
        if len(cells) > len(header):
            raise SourceError(
                f"{where}, line {number}: {len(cells)} fields, and {len(header)} columns: put quotation marks around "
                f"values that hold the separator. Received: {_shown(cells)}"
            )
        cells += [""] * (len(header) - len(cells))
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
    return LabelTable(where, rows, without_path, encoding)


def read_names(data: bytes, where: str) -> dict[str, str]:
    """Read class names by what a table of labels has in their place: two columns, such as `0,neutral`, and a header.

    Raises:
        SourceError: a line has other than two fields, or names a class twice.
    """
    text, _ = _decoded(data, where)
    _, lines = _split(text, where)
    names: dict[str, str] = {}
    for number, cells in lines:
        if len(cells) != 2 or not all(cells):
            raise SourceError(f"{where}, line {number}: needs a number and a class name. Received: {_shown(cells)}")
        if names.setdefault(cells[0], cells[1]) != cells[1]:
            raise SourceError(f"{where}, line {number}: {cells[0]} is {names[cells[0]]} already. Received: {cells[1]}")
    return names


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


def _split(text: str, where: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the header and the lines with their numbers, without blanks around the fields and without empty lines."""
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
    return header, found


def _column(header: Sequence[str], asked: str | None, usual: Sequence[str], what: str, where: str) -> int:
    if asked is not None:
        return _named(header, asked, what, where)
    found = [index for index, name in enumerate(header) if name.lower() in usual]
    if len(found) == 1:
        return found[0]
    exact = [index for index in found if header[index].lower() == what]
    if len(exact) == 1:
        return exact[0]
    several = f"several columns that may be the {what}" if found else f"no column that is called {what}, or usually so"
    raise NoLabelTable(
        f"{where} has {several}: name it by data.labels_columns={{{what}: …}}. Received: {_shown(header)}"
    )


def _named(header: Sequence[str], name: str, what: str, where: str) -> int:
    found = [index for index, one in enumerate(header) if one == name.strip()]
    found = found or [index for index, one in enumerate(header) if one.lower() == name.strip().lower()]
    if len(found) != 1:
        number = "two columns" if found else "no column"
        raise NoLabelTable(f"{where} has {number} {name}, data.labels_columns.{what}. Received: {_shown(header)}")
    return found[0]


def _confidence(header: Sequence[str], columns: LabelColumns, where: str) -> int | None:
    if columns.confidence is not None:
        return _named(header, columns.confidence, "confidence", where)
    return next((index for index, name in enumerate(header) if name.lower() in _CONFIDENCES), None)


def _name(value: str, names: Mapping[str, str] | None, place: str) -> str:
    if not value:
        raise SourceError(f"{place}: empty; name a class or take the line out")
    if names is None:
        return value
    # Spreadsheets write whole numbers of a column with gaps as 3.0.
    known = names.get(value) or names.get(value.removesuffix(".0"))
    if known is None:
        raise SourceError(f"{place}: data.label_names has no name for {value}. Received: {_shown(list(names))}")
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


def _shown(values: Sequence[str]) -> str:
    return ", ".join(values[:12]) + (f", … ({len(values)})" if len(values) > 12 else "")
