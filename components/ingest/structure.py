"""What is in a data folder and as what it is to be read, before the first image is opened."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from components.images.containers.other_data import describe_folder
from components.images.folder_names import has_ending
from components.images.joined_source import below, taken_apart
from components.images.places import found_places, is_below, name_of, path_within, shown
from components.images.source import Listing, Source, SourceError
from components.images.split_tables import LINEAGE, SPLIT_TABLES, read_lineage
from components.ingest.check_classes import check_images, check_links, check_spelling, refuse_other_words
from components.ingest.copies import Evidence, Relation, relate
from components.ingest.given_labels import NO_CLASS, GivenLabels, given_labels, unused_tables
from components.ingest.inspect_image import Quarantined
from components.ingest.layout import Entry, Layout, check_split_csv, is_split_csv, joined, of_place, read_layout
from components.ingest.metadata import GivenMetadata, given_metadata, with_metadata
from components.ingest.options import DataOptions
from components.tools.passwords import masked


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
        listed: names of the data folders that have such a table.
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
    listed: tuple[str, ...]
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
    places, tables = found_places(uri), {given.used, metadata.used}
    parts = taken_apart(listing, places)
    layout = joined(
        {name: _layout_of(place, name, parts[name], given, tables, options) for name, place in places.items()}
    )
    _refuse_numbers(layout, given)
    refuse_other_words({name: {entry.label for entry in of_place(layout.entries, name)} for name in layout.places})
    lineage, listed = _lineage(source, layout)
    evidence = Evidence(lineage, listed=listed)
    relations = with_metadata(relate(layout.entries, layout, given.labels, evidence), metadata)
    labels = {file_id: relation.label for file_id, relation in relations.items()}
    own = {table for table in layout.split_csvs if _is_split_table(table, source, layout)}
    unused = unused_tables(uri, source, listing, labels, {given.used, metadata.used, *own})
    if not layout.labels and listing.unusable:
        file_id, reason = listing.unusable[0]
        count = len(listing.unusable)
        raise SourceError(
            f"data: no usable image in {shown(uri)} ({count} can't be used; the first: {file_id}: {reason})"
        )
    if not layout.labels:
        raise SourceError(
            f"data: no class folder in {shown(uri)}: put the images in train/<label>/{use_table(unused, uri)}"
        )
    named = {table["file"] for table in unused}
    misplaced = [item for item in layout.misplaced if item[0] not in named]
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
            f"data: data.labels_csv leaves no image in {shown(uri)}: of {count} {reason}. Correct it or its options"
        )
    found = Structure(listing, layout, given, metadata, entries, lineage, listed, relations, excluded, unused, bad)
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


def _layout_of(
    place: str, name: str, listing: Listing, given: GivenLabels, tables: Collection[str | None], options: DataOptions
) -> Layout:
    """Return what the names in one data folder mean.

    Args:
        place: the folder.
        name: of it, if there are several, else "".
        listing: what it holds.
        given: what a table says of the images in all folders.
        tables: ids of tables that are used.
        options: what folders mean.
    """
    labels = {
        path_within(file_id, [name]): label.name for file_id, label in given.labels.items() if is_below(file_id, name)
    }
    try:
        if not labels and (other := describe_folder(listing.files)):
            raise SourceError(f"data: {place}: {other}")
        check_links(listing.outside, listing.folders)
        # A class folder that can't be read, or a link to one that is gone, is a class without images, not no class.
        unread = [file_id for file_id, _ in listing.unusable if file_id != "." and not has_ending(file_id)]
        return read_layout(
            [file_id for file_id in listing.files if below(name, file_id) not in tables],
            [*listing.folders, *unread],
            labels,
            layout=options.layout,
            splits=options.folders(),
            uri=place,
        )
    except SourceError as error:
        raise SourceError(f"{error} (in {masked(place)})") if name and place not in str(error) else error from None


def check_tables(source: Source, layout: Layout, unlisted: Collection[str]) -> None:
    """Compare the tables of an earlier split with the files that are there.

    Args:
        source: where the tables are.
        layout: of the data folders.
        unlisted: ids of files that the tables need not list; see `check_split_csv`.

    Raises:
        SourceError: a table and the files differ.
    """
    for table in layout.split_csvs:
        name = name_of(table, layout.places)
        short = path_within(table, layout.places)
        if short in SPLIT_TABLES:
            entries = [replace(one, id=path_within(one.id, [name])) for one in of_place(layout.entries, name)]
            missing = {path_within(one, [name]) for one in unlisted if is_below(one, name)}
            check_split_csv(short, _text(source, table), entries, missing)


def _is_split_table(table: str, source: Source, layout: Layout) -> bool:
    short = path_within(table, layout.places)
    return short in SPLIT_TABLES and is_split_csv(short, _text(source, table))


def _lineage(source: Source, layout: Layout) -> tuple[Mapping[str, tuple[str, int]] | None, tuple[str, ...]]:
    """Return what tables say of copies, and the names of the data folders that have one."""
    found: dict[str, tuple[str, int]] = {}
    listed = []
    for table in layout.split_csvs:
        name = name_of(table, layout.places)
        if path_within(table, layout.places) != LINEAGE:
            continue
        files = [path_within(entry.id, [name]) for entry in of_place(layout.entries, name)]
        rows = read_lineage(_text(source, table), files)
        if rows is not None:
            listed.append(name)
            found |= {below(name, copy): (below(name, one), number) for copy, (one, number) in rows.items()}
    return (found if listed else None), tuple(listed)


def _text(source: Source, table: str) -> str:
    return source.read(table).decode("utf-8", "backslashreplace")  # as ids are spelled


def use_table(tables: list[dict[str, Any]], uri: str) -> str:
    """Return how to use the first of the tables that nobody named, as the end of a message; "" where there is none."""
    if not tables:
        return ""
    places = found_places(uri)
    name = name_of(tables[0]["file"], places)
    file, place = path_within(tables[0]["file"], [name]), places[name]
    if Path(place.removeprefix("file://")).is_file():
        return f", or take {file} out of the archive and name it by data.labels_csv"
    return f", or use the table that lies there: data.labels_csv={place.rstrip('/')}/{file}"
