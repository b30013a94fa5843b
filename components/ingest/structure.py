"""What is in a data folder and as what it is to be read, before the first image is opened."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.images.containers.other_data import describe_folder
from components.images.folder_names import has_ending
from components.images.source import Listing, Source, SourceError
from components.images.split_tables import LINEAGE, SPLIT_TABLES, read_lineage
from components.ingest.check_classes import check_images, check_links, check_spelling
from components.ingest.copies import Evidence, Relation, relate
from components.ingest.given_labels import NO_CLASS, GivenLabels, given_labels, unused_tables
from components.ingest.inspect_image import Quarantined
from components.ingest.layout import Entry, Layout, is_split_csv, read_layout
from components.ingest.metadata import GivenMetadata, given_metadata, with_metadata
from components.ingest.options import DataOptions


@dataclass(frozen=True)
class Structure:
    """What is known of a folder by its names and tables alone.

    Attributes:
        listing: what lies there.
        layout: what the folders mean.
        given: what a table of labels says.
        metadata: what a table of other things says.
        entries: the files to read as images.
        lineage: source and copy number of copies, by id, as a table of an earlier split has them; None without one.
        relations: of these files and of those that a table leaves out, by id.
        excluded: why a table leaves a file out, by id.
        unused_tables: tables of labels that nobody named.
        bad: what can't be used, whatever is in it.
    """

    listing: Listing
    layout: Layout
    given: GivenLabels
    metadata: GivenMetadata
    entries: list[Entry]
    lineage: Mapping[str, tuple[str, int]] | None
    relations: Mapping[str, Relation]
    excluded: Mapping[str, str]
    unused_tables: list[dict[str, Any]]
    bad: list[Quarantined]

    def check_classes(self, images: Iterable[tuple[str, str]], bad: Iterable[Quarantined]) -> None:
        """Make sure that each class has images, some of them to train on.

        Args:
            images: label and split of each image.
            bad: files that can't be used.

        Raises:
            SourceError: a class hasn't; or it is spelled in two ways.
        """
        places = {label: f"{label}/" for label in self.layout.empty}
        places |= {relation.label: file_id for file_id, relation in sorted(self.relations.items(), reverse=True)}
        places.pop(NO_CLASS, None)
        check_spelling(places)
        reasons: dict[str, list[str]] = defaultdict(list)
        for item in bad:
            reasons[item.label or self.layout.class_folder(item.id)].append(f"{item.id}: {item.reason}")
        for file_id, reason in self.excluded.items():
            reasons[self.relations[file_id].label].append(f"{file_id}: {reason}")
        check_images(places, list(images), reasons)


def read_structure(uri: str, source: Source, options: DataOptions) -> Structure:
    """Read names and tables.

    Args:
        uri: the data folder.
        source: the same.
        options: what folders and tables mean.

    Raises:
        SourceError: it isn't sure what the folders mean, a table doesn't fit them, or there is no class, or one without
            images.
    """
    listing = source.list()
    given = given_labels(uri, listing, options)
    metadata = given_metadata(uri, listing, options)
    if not given.labels and (other := describe_folder(listing.files)):
        raise SourceError(f"data: {uri}: {other}")
    check_links(listing.outside, listing.folders)
    # A class folder that can't be read, or a link to one that is gone, is a class without images, not no class.
    unread = [file_id for file_id, _ in listing.unusable if file_id != "." and not has_ending(file_id)]
    layout = read_layout(
        [file_id for file_id in listing.files if file_id not in (given.used, metadata.used)],
        [*listing.folders, *unread],
        {file_id: label.name for file_id, label in given.labels.items()},
        layout=options.layout,
        splits=options.folders(),
        uri=uri,
    )
    _refuse_numbers(layout, given)
    lineage = _lineage(source, layout)
    relations = with_metadata(relate(layout.entries, layout, given.labels, Evidence(lineage)), metadata)
    labels = {file_id: relation.label for file_id, relation in relations.items()}
    own = {name for name in SPLIT_TABLES if name in layout.split_csvs and is_split_csv(name, _text(source, name))}
    unused = unused_tables(uri, source, listing, labels, {given.used, metadata.used, *own})
    if not layout.labels and listing.unusable:
        file_id, reason = listing.unusable[0]
        count = len(listing.unusable)
        raise SourceError(f"data: no usable image in {uri} ({count} can't be used; the first: {file_id}: {reason})")
    if not layout.labels:
        raise SourceError(f"data: no class folder in {uri}: put the images in train/<label>/{use_table(unused, uri)}")
    tables = {table["file"] for table in unused}
    misplaced = [item for item in layout.misplaced if item[0] not in tables]
    bad = [Quarantined(file_id, "", reason) for file_id, reason in (*listing.unusable, *misplaced)]
    excluded = {
        file_id: why
        for file_id, relation in relations.items()
        if (why := given.left_out.get(file_id) or given.left_out.get(relation.source or file_id))
    }
    entries = [entry for entry in layout.entries if entry.id not in excluded]
    if excluded and not entries:
        reason, count = Counter(excluded.values()).most_common(1)[0]
        raise SourceError(
            f"data: data.labels_csv leaves no image in {uri}: of {count} {reason}. Correct it or its options"
        )
    found = Structure(listing, layout, given, metadata, entries, lineage, relations, excluded, unused, bad)
    found.check_classes([(relations[entry.id].label, entry.split) for entry in entries], bad)
    return found


def _refuse_numbers(layout: Layout, given: GivenLabels) -> None:
    """Refuse numbers for classes where the folders of images that the table doesn't name have names."""
    numbers = {label.name for label in given.labels.values()}
    if not all(map(str.isdecimal, numbers)):
        return
    names = sorted({entry.label for entry in layout.entries if entry.id not in given.labels} - numbers)
    if numbers and any(not name.isdecimal() for name in names):
        raise SourceError(
            f"data: data.labels_csv has numbers for classes ({', '.join(sorted(numbers)[:5])}), and the folders of "
            f"images that it doesn't name have names ({', '.join(names[:5])}): name the numbers by data.label_names"
        )


def _lineage(source: Source, layout: Layout) -> Mapping[str, tuple[str, int]] | None:
    if LINEAGE not in layout.split_csvs:
        return None
    return read_lineage(_text(source, LINEAGE), [entry.id for entry in layout.entries])


def _text(source: Source, table: str) -> str:
    return source.read(table).decode("utf-8", "backslashreplace")  # as ids are spelled


def use_table(tables: list[dict[str, Any]], uri: str) -> str:
    """Return how to use the first of the tables that nobody named, as the end of a message; "" where there is none."""
    if not tables:
        return ""
    file = tables[0]["file"]
    if Path(uri.removeprefix("file://")).is_file():
        return f", or take {file} out of the archive and name it by data.labels_csv"
    return f", or use the table that lies there: data.labels_csv={uri.rstrip('/')}/{file}"
