"""What a folder's structure says of its images: their labels, and the split where it was made already.

`DIR/train/<label>/…`, `DIR/<label>/…`, and with `DIR/test/<label>/…` (also `val`, `valid`, …, see `folder_names`) a
split that is given. Pure: works on paths alone.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from components.images.folder_names import may_be_image, says_nothing
from components.images.joined_source import below
from components.images.places import is_below, name_of, path_within
from components.images.source import SourceError
from components.images.split_tables import LINEAGE, SPLIT_TABLES, read_rows
from components.ingest.find_splits import find_splits
from components.tools.printable import printable

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
        labels: all classes, those without files too, sorted.
        empty: class folders in which there is no file, in no split.
        split_csvs: ids of tables that are called as `datasplit`'s own, which must agree with the folders.
        beside: ids of files that aren't part of the data: licences, tables, and whatever lies beside the splits.
        splits: ids of the folders that hold the class folders, with their split; empty where classes lie at the top.
        places: names of the data folders, with which all ids begin; empty where there is one.
    """

    entries: list[Entry]
    misplaced: list[tuple[str, str]]
    labels: list[str]
    empty: list[str]
    split_csvs: list[str]
    beside: list[str]
    splits: Mapping[str, str] = field(default_factory=dict)
    places: tuple[str, ...] = ()

    def place(self, file_id: str, split: str) -> str:
        """Return `<split>/<path>`, which is the same whether the folder itself or its `train/` holds the classes.

        Args:
            file_id: of the image.
            split: that the folder gives, "" for none.
        """
        return f"{split or 'train'}/{self.path_in_split(file_id)}"

    def path_in_split(self, file_id: str) -> str:
        """Return the id without the split's folder: image and copy lie in one folder there, whatever their labels.

        Of several folders of one split the first alone is left out: the others may hold files of the same names.
        """
        root = _root_of(file_id, self.splits)
        if root is None:
            return file_id
        place = name_of(file_id, self.places)
        alike = (one for one in self.splits if self.splits[one] == self.splits[root])
        if root != next(one for one in alike if name_of(one, self.places) == place):
            return file_id
        return below(place, file_id[len(root) + 1 :])

    def class_folder(self, file_id: str) -> str:
        """Return the name in the place where a class folder's would be, of a folder itself or of what lies in it."""
        root = _root_of(file_id, self.splits)
        inside = path_within(file_id, self.places) if root is None else file_id[len(root) + 1 :]
        return inside.partition("/")[0]

    def unused_images(self) -> dict[str, int]:
        """Return how many files that may be images aren't part of the data, by top folder, "." for none."""
        unused = [file_id for file_id in self.beside if may_be_image(file_id)]
        tops = (
            below(
                name_of(file_id, self.places),
                path_within(file_id, self.places).rpartition("/")[0].partition("/")[0] or ".",
            )
            for file_id in unused
        )
        return dict(sorted(Counter(tops).items()))


def joined(layouts: Mapping[str, Layout]) -> Layout:
    """Return the layouts of several folders as one.

    Args:
        layouts: by the name of the folder, with which ids begin in the result; of one folder its name is "".
    """
    if "" in layouts:
        return layouts[""]
    return Layout(
        sorted(
            (replace(entry, id=below(name, entry.id)) for name, layout in layouts.items() for entry in layout.entries),
            key=lambda entry: entry.id,
        ),
        [(below(name, one), why) for name, layout in layouts.items() for one, why in layout.misplaced],
        sorted({label for layout in layouts.values() for label in layout.labels}),
        sorted({label for layout in layouts.values() for label in layout.empty}),
        [below(name, one) for name, layout in layouts.items() for one in layout.split_csvs],
        [below(name, one) for name, layout in layouts.items() for one in layout.beside],
        {below(name, root): split for name, layout in layouts.items() for root, split in layout.splits.items()},
        tuple(layouts),
    )


def of_place(entries: Iterable[Entry], name: str) -> list[Entry]:
    """Return the images in the data folder of that name."""
    return [entry for entry in entries if is_below(entry.id, name)]


def read_layout(
    files: Iterable[str],
    folders: Iterable[str],
    labels: Mapping[str, str] | None = None,
    *,
    layout: str = "auto",
    splits: Mapping[str, Sequence[str]] | None = None,
    uri: str = "the data folder",
) -> Layout:
    """Tell labels and splits from paths.

    Args:
        files: ids of the files.
        folders: ids of the folders.
        labels: labels that override the folders' names, by id. A folder all of whose files they rename is no class.
        layout: "classes" or "splits" where that was said of the top folders, else "auto".
        splits: ids of the folders of each split ("train", "eval", "test") where they were named; only these are used.
        uri: of the data folder, for messages.

    Raises:
        SourceError: it isn't sure what the folders are.
    """
    files, folders, labels = list(files), list(folders), labels or {}
    roots = find_splits(files, folders, layout=layout, splits=splits, labelled=labels, uri=uri)
    tables = _SPLIT_CSVS if any(root.lower() == "train" for root in roots) else ()
    mixed = _mixed(files, roots, labels)
    entries, misplaced, csvs, beside = [], [], [], []
    for file_id in files:
        root = _root_of(file_id, roots)
        split = "" if root is None or roots[root] == "train" else roots[root]
        label = _folder_label(file_id, root)
        if file_id in labels and (root is not None or splits is None):
            entries.append(Entry(file_id, labels[file_id], split))
        elif file_id in tables:
            csvs.append(file_id)
        elif (roots and root is None) or (label is None and root is None and not may_be_image(file_id)):
            beside.append(file_id)
        elif label is None:
            misplaced.append((file_id, "not in a class folder" + (" nor in data.labels_csv" if labels else "")))
        elif label in mixed:
            misplaced.append((file_id, "not in data.labels_csv, which divides its folder into classes"))
        else:
            entries.append(Entry(file_id, label, split))
    filled = {label for file_id in files if (label := _folder_label(file_id, _root_of(file_id, roots)))}
    empty = set(_class_folders(folders, roots)) - filled
    known = empty | {entry.label for entry in entries}
    return Layout(
        sorted(entries, key=lambda entry: entry.id), misplaced, sorted(known), sorted(empty), csvs, beside, roots
    )


def _root_of(file_id: str, roots: Iterable[str]) -> str | None:
    """Return the split's folder that a file lies in."""
    return next((root for root in roots if file_id.startswith(f"{root}/")), None)


def _folder_label(file_id: str, root: str | None) -> str | None:
    """Return the class folder that a file lies in."""
    inside = file_id if root is None else file_id[len(root) + 1 :]
    label, slash, _ = inside.partition("/")
    return label if slash else None


def _class_folders(folders: Iterable[str], roots: Mapping[str, str]) -> Iterable[str]:
    for folder in folders:
        root = _root_of(folder, roots)
        inside = folder if root is None else folder[len(root) + 1 :]
        if "/" not in inside and (root is not None or not roots):
            yield inside


def _mixed(files: Iterable[str], roots: Mapping[str, str], labels: Mapping[str, str]) -> set[str]:
    """Return folders that are no classes, since a table gives their files other labels, and none the folder's.

    Most of their files, and several labels; or it is the one folder there is, or called `images` or the like, and the
    table is of a part of it. A few labels in one of several folders correct it.
    """
    if not labels:
        return set()
    total: Counter[tuple[str | None, str]] = Counter()
    given: dict[tuple[str | None, str], Counter[str]] = defaultdict(Counter)
    for file_id in files:
        root = _root_of(file_id, roots)
        folder = _folder_label(file_id, root)
        if folder is not None and may_be_image(file_id):
            total[root, folder] += 1
            if file_id in labels:
                given[root, folder][labels[file_id]] += 1
    is_alone = len({folder for _, folder in total}) == 1
    return {
        folder
        for (root, folder), by_label in given.items()
        if folder not in by_label
        and (
            (len(by_label) > 1 and (is_alone or 2 * by_label.total() > total[root, folder]))
            or (says_nothing(folder) and any(map(str.isalpha, folder)))  # a number may be a class
        )
    }


def is_split_csv(name: str, text: str) -> bool:
    """Return whether a table is `datasplit`'s of a split; a competition's `train.csv` isn't."""
    return read_rows(name, text, _SPLIT_CSV_HEADER) is not None


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
