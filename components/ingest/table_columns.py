"""Which columns of a table of labels say what: found by name, in any case; all others are left alone. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.ingest.options import LabelColumns
from components.ingest.table_cells import NoLabelTable, shown

_PATHS = ("path", "pth", "filepath", "file_path", "image_path", "img_path", "filename", "file_name", "file", "image",
          "image_name", "image name", "img", "image_id", "id_code")  # fmt: skip
_LABELS = ("label", "class", "emotion", "expression", "category", "target", "class_name", "label_name", "diagnosis")
_CONFIDENCES = ("confidence", "relfcs")
_EXCLUDE, _OF_A_LIST = "exclude", {"given", "suggested"}


@dataclass(frozen=True)
class TableColumns:
    """Places of the columns.

    Attributes:
        path: of images' paths.
        label: of their classes; None where there are votes.
        votes: a column for each class.
        unsure: those for no class.
        confidence: None without such a column.
        exclude: likewise.
        is_list: whether it is a list of suspicious labels, in which rows may be undecided.
    """

    path: int
    label: int | None
    votes: Sequence[int]
    unsure: Sequence[int]
    confidence: int | None
    exclude: int | None
    is_list: bool


def find_columns(
    header: Sequence[str], columns: LabelColumns, where: str, *, with_confidence: bool = True
) -> TableColumns:
    """Find the columns.

    Args:
        header: their names.
        columns: names of those that aren't called as usual.
        where: the file, for messages.
        with_confidence: whether one of confidences is looked for.

    Raises:
        NoLabelTable: a column isn't there, or several could be meant.
    """
    lower = [name.lower() for name in header]
    path = _column(header, columns.path, _PATHS, "path", where)
    votes = [_named(header, name, "votes", where) for name in columns.votes]
    unsure = [_named(header, name, "unsure", where) for name in columns.unsure]
    return TableColumns(
        path=path,
        label=None if votes else _column(header, columns.label, _LABELS, "label", where),
        votes=votes,
        unsure=unsure,
        confidence=_confidence(header, columns, where) if with_confidence else None,
        exclude=lower.index(_EXCLUDE) if _EXCLUDE in lower else None,
        is_list=not votes and _OF_A_LIST.issubset(lower),
    )


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
        f"{where} has {several}: name it by data.labels_columns={{{what}: …}}. Received: {shown(header)}"
    )


def _named(header: Sequence[str], name: str, what: str, where: str) -> int:
    found = [index for index, one in enumerate(header) if one == name.strip()]
    found = found or [index for index, one in enumerate(header) if one.lower() == name.strip().lower()]
    if len(found) != 1:
        number = "two columns" if found else "no column"
        raise NoLabelTable(f"{where} has {number} {name}, data.labels_columns.{what}. Received: {shown(header)}")
    return found[0]


def _confidence(header: Sequence[str], columns: LabelColumns, where: str) -> int | None:
    if columns.confidence is not None:
        return _named(header, columns.confidence, "confidence", where)
    return next((index for index, name in enumerate(header) if name.lower() in _CONFIDENCES), None)
