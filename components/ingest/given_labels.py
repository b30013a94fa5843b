"""The labels that a table gives to the images of a folder: read, matched, and held against what the folders say."""

from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from components.images.folder_names import may_be_image
from components.images.source import Listing, Source, SourceError
from components.ingest.label_table import Label, read_label_table, read_names
from components.ingest.match_labels import Finder, match_labels
from components.ingest.named_table import content_of, id_within, roots_of
from components.ingest.options import DataOptions

NO_CLASS = ""  # the label of images that the table leaves out
_ENDINGS = (".csv", ".tsv", ".txt")
_LARGEST = 100_000_000  # bytes of a table that nobody named
_WORTH_A_WORD = 0.5  # of a table's lines must mean images of the folder


@dataclass(frozen=True)
class GivenLabels:
    """What a table says of the images.

    Attributes:
        labels: by id, also of images that are left out.
        left_out: why an image isn't used, by id: its label isn't sure enough, the votes name no class, or it says so.
        used: id of the table, where it lies among the images.
        read: what the summary says of the table: `rows`, `encoding`, `without_path`; `undecided` where some are.
    """

    labels: Mapping[str, Label] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    used: str | None = None
    read: Mapping[str, Any] = field(default_factory=dict)

    def changed(self) -> int:
        """Return how many of the images lie in no folder that is called as the table has it."""
        return sum(label.name not in file.split("/")[:-1] for file, label in self.labels.items())


def given_labels(uri: str, listing: Listing, options: DataOptions) -> GivenLabels:
    """Read the table that the options name; nothing where they name none.

    Args:
        uri: the data folder.
        listing: what it holds.
        options: table, columns, names, limits.

    Raises:
        SourceError: the table can't be read, or doesn't fit the folder.
    """
    if options.labels_csv is None:
        return GivenLabels()
    where = f"data.labels_csv {options.labels_csv}"
    names = options.label_names
    if isinstance(names, str):
        names = read_names(content_of(names, "data.label_names"), f"data.label_names {names}")
    is_graded = options.min_confidence is not None or options.weigh_by_confidence
    content = content_of(options.labels_csv, "data.labels_csv")
    table = read_label_table(content, where, options.labels_columns, names, with_confidence=is_graded)
    if not table.rows and not table.undecided:
        raise SourceError(f"{where} labels no image: it has no line below the names of its columns")
    used = id_within(options.labels_csv, uri, listing)
    beside = used.rpartition("/")[0] if used else ""
    matched = match_labels(table, Finder(listing.files, roots_of(uri), beside))
    left_out = dict(matched.left_out)
    labels = dict.fromkeys(left_out, Label(NO_CLASS))
    for file, label in matched.labels.items():
        if options.min_confidence is not None and _confidence(label, where) < options.min_confidence:
            left_out[file] = "below data.min_confidence"
        weight = _confidence(label, where) if options.weigh_by_confidence else None
        if weight is not None and weight > 1:
            raise SourceError(
                f"{where}: data.weigh_by_confidence takes confidences from 0 to 1. Received: {weight:g}, of {file}"
            )
        labels[file] = Label(label.name, weight, label.votes)
    if options.weigh_by_confidence and labels and not any(label.confidence for label in labels.values()):
        raise SourceError(f"{where}: all confidences are 0, so no image would count: data.weigh_by_confidence=false")
    read: dict[str, Any] = {"rows": len(table.rows), "encoding": table.encoding, "without_path": table.without_path}
    read |= {"undecided": table.undecided} if table.undecided else {}
    return GivenLabels(labels, left_out, used, read)


def unused_tables(
    uri: str, source: Source, listing: Listing, labels: Mapping[str, str], known: Collection[str | None]
) -> list[dict[str, Any]]:
    """Return what tables of labels that lie in the folder, and that nobody named, would change.

    Args:
        uri: the data folder.
        source: the same.
        listing: what it holds.
        labels: of the images as they are used, by id.
        known: ids of tables that are used or are none of labels.

    Returns:
        `file`, `rows`, `images` that it names and `would_change` of each.
    """
    found = []
    images = {file.rpartition(".")[0] for file in listing.files if may_be_image(file)}
    for file in listing.files:
        if not file.lower().endswith(_ENDINGS) or file in known or _size(listing, file) > _LARGEST:
            continue
        if file.rpartition(".")[0] in images:  # says something of that image alone, and each image may have one
            continue
        try:
            table = read_label_table(_read(source, file), file, with_confidence=False)
        except (SourceError, OSError):
            continue
        finder = Finder(listing.files, roots_of(uri), file.rpartition("/")[0])
        named = {ids[0]: row.label.name for row in table.rows if len(ids := finder.find(row.path)) == 1}
        if named and len(named) >= _WORTH_A_WORD * len(table.rows):
            change = sum(labels.get(image) not in (None, label) for image, label in named.items())
            found.append({"file": file, "rows": len(table.rows), "images": len(named), "would_change": change})
    return found


def _read(source: Source, file: str) -> bytes:
    """Return the bytes of a file that may be a table, however long it turns out to be: an archive doesn't say."""
    data = bytearray()
    with closing(source.pieces(file)) as pieces:
        for piece in pieces:
            data += piece
            if len(data) > _LARGEST:
                raise SourceError(f"{file} is longer than a table of labels")
    return bytes(data)


def _size(listing: Listing, file: str) -> int:
    return listing.stamps[file].size if file in listing.stamps else 0


def _confidence(label: Label, where: str) -> float:
    if label.confidence is None:
        raise SourceError(
            f"{where} has no column confidence or relFCs, which data.min_confidence and data.weigh_by_confidence are "
            "about: name it by data.labels_columns={confidence: …}"
        )
    return label.confidence
