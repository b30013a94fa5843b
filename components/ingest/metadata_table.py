"""Read a table of what is known of images beyond their labels, such as camera, age or source. Pure.

Each column but that of the paths is taken as text, whatever its name. What isn't given is "".
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from components.images.source import SourceError
from components.ingest.match_labels import Finder
from components.ingest.text_table import PATHS, NoSuchTable, read_text_table, shown

_SHOWN = 3
Values = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class MetadataRow:
    """One line of the table: value by column, in the table's order."""

    line: int
    path: str
    values: Values


@dataclass(frozen=True)
class MetadataTable:
    """A table.

    Attributes:
        where: its name, for messages.
        columns: names of the columns, but for that of the paths.
        rows: in the order of the file.
        without_path: lines that name no image.
        unnamed: columns without a name, which are left out, as pandas writes its row numbers.
        encoding: that it was read as.
    """

    where: str
    columns: Sequence[str]
    rows: Sequence[MetadataRow]
    without_path: int
    unnamed: int
    encoding: str

    @property
    def blank(self) -> Values:
        """What is known of an image that the table doesn't name."""
        return tuple((name, "") for name in self.columns)


def read_metadata_table(data: bytes, where: str, path: str | None = None) -> MetadataTable:
    """Read a table.

    Args:
        data: of the file.
        where: the file, for messages.
        path: name of the column of the images' paths; None for a usual one.

    Raises:
        NoSuchTable: there is no column of paths, none beside it, or two have one name.
        SourceError: a line can't be read; the message names it.
    """
    table = read_text_table(data, where)
    of_path = table.column(path, PATHS, "path", "data.metadata_path_column")
    named = {index: name for index, name in enumerate(table.header) if name and index != of_path}
    twice = [name for name, count in Counter(named.values()).items() if count > 1]
    if twice:
        raise NoSuchTable(f"{where} has two columns {twice[0]}: rename one. Received: {shown(table.header)}")
    if not named:
        raise NoSuchTable(
            f"{where} says nothing of the images: it needs a column beside {table.header[of_path]}. "
            f"Received: {shown(table.header)}"
        )
    rows, without_path = [], 0
    for number, cells in table.lines:
        if not cells[of_path]:
            without_path += 1
            continue
        rows.append(MetadataRow(number, cells[of_path], tuple((name, cells[index]) for index, name in named.items())))
    if not rows:
        raise SourceError(f"{where} names no image: it has no line with a path below the names of its columns")
    unnamed = sum(not name for name in table.header)
    return MetadataTable(where, tuple(named.values()), rows, without_path, unnamed, table.encoding)


def match_metadata(table: MetadataTable, finder: Finder) -> tuple[dict[str, Values], list[MetadataRow]]:
    """Return the values of images in the data folder by id, and the rows that name none of them.

    A table may be of more images than the folder has, but not of other ones.

    Raises:
        SourceError: a line may mean several images, two lines say different things of one, or none names any. The
            message names the line.
    """
    found: dict[str, MetadataRow] = {}
    unknown = []
    for row in table.rows:
        ids = finder.find(row.path)
        if not ids:
            unknown.append(row)
            continue
        if len(ids) > 1:
            raise SourceError(
                f"{table.where}, line {row.line}: {row.path} may be {' or '.join(ids[:_SHOWN])}: give more of its path"
            )
        first = found.setdefault(ids[0], row)
        for (name, value), (_, other) in zip(first.values, row.values, strict=True):
            if value != other:
                raise SourceError(
                    f"{table.where} says two things of {ids[0]}: {name} is {value or 'empty'} in line {first.line}, "
                    f"{other or 'empty'} in line {row.line}: take one out"
                )
    if not found:
        row = unknown[0]
        raise SourceError(
            f"{table.where} names no image of the data folder, in none of {len(unknown)} lines (line {row.line}: "
            f"{row.path}): name the table of these images, or its column of paths by data.metadata_path_column"
        )
    return {file: row.values for file, row in found.items()}, unknown
