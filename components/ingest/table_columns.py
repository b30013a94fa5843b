"""Which columns of a table of labels say what: found by name, in any case; all others are left alone. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.ingest.options import LabelColumns
from components.ingest.text_table import PATHS, TextTable

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


def find_columns(table: TextTable, columns: LabelColumns, *, with_confidence: bool = True) -> TableColumns:
    """Find the columns.

    Args:
        table: of labels.
        columns: names of those that aren't called as usual.
        with_confidence: whether one of confidences is looked for.

    Raises:
        NoSuchTable: a column isn't there, or several could be meant.
    """
    lower = [name.lower() for name in table.header]
    path = table.column(columns.path, PATHS, "path", "data.labels_columns.path")
    votes = [table.named(name, "data.labels_columns.votes") for name in columns.votes]
    unsure = [table.named(name, "data.labels_columns.unsure") for name in columns.unsure]
    return TableColumns(
        path=path,
        label=None if votes else table.column(columns.label, _LABELS, "label", "data.labels_columns.label"),
        votes=votes,
        unsure=unsure,
        confidence=_confidence(table, columns) if with_confidence else None,
        exclude=lower.index(_EXCLUDE) if _EXCLUDE in lower else None,
        is_list=not votes and _OF_A_LIST.issubset(lower),
    )


def _confidence(table: TextTable, columns: LabelColumns) -> int | None:
    if columns.confidence is not None:
        return table.named(columns.confidence, "data.labels_columns.confidence")
    return next((index for index, name in enumerate(table.header) if name.lower() in _CONFIDENCES), None)
