"""What a folder's structure says of its images: their labels, and the split where it was made already.

`DIR/train/<label>/…`, `DIR/<label>/…`, and with `DIR/test/<label>/…` (also `val`, `validation`, `eval`) a split that
is given. Pure: works on paths alone.
"""

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from components.images.source import SourceError
from components.images.split_tables import LINEAGE, SPLIT_TABLES, read_rows
from components.tools.printable import printable

_GIVEN = {"train": "", "test": "test", "val": "eval", "validation": "eval", "eval": "eval"}
_SPLIT_CSVS = (*SPLIT_TABLES, LINEAGE)
_SPLIT_CSV_HEADER = ["label", "filename"]


@dataclass(frozen=True)
class Entry:
    """A file that should be an image.

    Attributes:
        id: path relative to the data folder.
        label: class name.
        split: "test" or "eval" where the folder says so, else "" (to be decided).
    """

    id: str
    label: str
    split: str


@dataclass(frozen=True)
class Layout:
    """What the structure tells.

    Attributes:
        entries: files with a label, sorted by id.
        misplaced: files that lie in no class folder, with the reason.
        labels: all class folders, those without files too, sorted.
        split_csvs: ids of `datasplit`'s own tables, which must agree with the folders.
        beside: number of files beside `train/`: licences, tables, … that aren't part of the data.
        divided: whether the class folders lie in folders of splits.
    """

    entries: list[Entry]
    misplaced: list[tuple[str, str]]
    labels: list[str]
    split_csvs: list[str]
    beside: int
    divided: bool

    def place(self, file_id: str, split: str) -> str:
        """Return `<split>/<path>`, which is the same whether the folder itself or its `train/` holds the classes.

        Args:
            file_id: path relative to the data folder.
            split: that the folder gives, "" for none.
        """
        return f"{split or 'train'}/{self.path_in_split(file_id)}"

    def path_in_split(self, file_id: str) -> str:
        """Return the id without the split's folder: image and copy lie in one folder there, whatever their labels."""
        folder, _, inside = file_id.partition("/")
        return inside if self.divided and inside and folder.lower() in _GIVEN else file_id


def read_layout(files: Iterable[str], folders: Iterable[str], labels: Mapping[str, str] | None = None) -> Layout:
    """Tell labels and splits from paths.

    Args:
        files: ids of the files.
        folders: ids of the folders.
        labels: labels that override the folders' names, by id.

    Raises:
        SourceError: `labels` names a file that isn't there, or a label is empty.
    """
    files, folders, labels = list(files), list(folders), labels or {}
    missing = sorted(set(labels) - set(files))
    if missing:
        raise SourceError(f"data.labels_csv names {missing[0]}, which is not in the data folder ({len(missing)} such)")
    top = {folder.lower(): folder for folder in folders if "/" not in folder}
    divided = "train" in top
    known: set[str] = set()
    for folder in folders:
        parts = folder.split("/")
        if divided and len(parts) == 2 and parts[0].lower() in _GIVEN:
            known.add(parts[1])
        elif not divided and len(parts) == 1:
            known.add(parts[0])
    entries, misplaced, csvs, beside = [], [], [], 0
    for file_id in files:
        parts = file_id.split("/")
        split = _GIVEN.get(parts[0].lower()) if divided and len(parts) > 1 else None
        inside = parts[1:] if split is not None else parts
        if file_id in labels:
            entries.append(Entry(file_id, labels[file_id], split or ""))
        elif divided and file_id in _SPLIT_CSVS:
            csvs.append(file_id)
        elif divided and split is None:
            beside += 1
        elif len(inside) < 2:
            misplaced.append((file_id, "not in a class folder"))
        else:
            entries.append(Entry(file_id, inside[0], split or ""))
    known.update(entry.label for entry in entries)
    return Layout(sorted(entries, key=lambda entry: entry.id), misplaced, sorted(known), csvs, beside, divided)


def read_labels_csv(text: str) -> dict[str, str]:
    """Return labels by id from a table with the columns `path` and `label`.

    Raises:
        SourceError: a column or a value is missing, or a path stands twice with different labels.
    """
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if not rows.fieldnames or not {"path", "label"} <= set(rows.fieldnames):
        raise SourceError(f"data.labels_csv needs the columns path and label. Received: {rows.fieldnames}")
    labels: dict[str, str] = {}
    for row in rows:
        path, label = (row["path"] or "").strip().removeprefix("./"), (row["label"] or "").strip()
        if not path or not label:
            raise SourceError(f"data.labels_csv, line {rows.line_num}: path or label is empty")
        if labels.setdefault(path, label) != label:
            raise SourceError(f"data.labels_csv gives {path} two labels: {labels[path]} and {label}")
    return labels


def check_split_csv(name: str, text: str, entries: Iterable[Entry], unlisted: Collection[str] = ()) -> None:
    """Compare `datasplit`'s table of one split (label, file name below it) with the files that are there.

    A table with another header is not one of these and is left alone.

    Args:
        name: of the table.
        text: of the table.
        entries: all files, of any split.
        unlisted: ids of those that the table need not list, since `datasplit` lets them lie: what can't be used, links.

    Raises:
        SourceError: the two differ; the first difference is named.
    """
    folder = name.removesuffix(".csv")
    rows = read_rows(name, text, _SPLIT_CSV_HEADER)
    if rows is None:
        return
    listed = Counter((label, file) for label, file in rows)
    there: Counter[tuple[str, str]] = Counter()
    needed: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        parts = entry.id.split("/")
        if parts[0].lower() == folder and len(parts) > 2:
            there[(parts[1], "/".join(parts[2:]))] += 1
            needed[(parts[1], "/".join(parts[2:]))] += entry.id not in unlisted
    for difference, what in ((listed - there, "lists a file that is not there"), (needed - listed, "lacks a file")):
        if difference:
            label, file = sorted(difference)[0]
            path = printable(f"{folder}/{label}/{file}")
            raise SourceError(f"{name} {what}: {path} ({difference.total()} such). Delete the table if it is stale")
