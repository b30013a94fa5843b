"""What a table says of the images beyond their labels: read, matched, and handed on to copies and duplicates."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from components.formats.dataset import ImageRow
from components.images.source import Listing
from components.ingest.copies import Relation
from components.ingest.match_labels import Finder
from components.ingest.metadata_table import Values, match_metadata, read_metadata_table
from components.ingest.named_table import content_of, id_within, roots_of
from components.ingest.options import DataOptions

_NAMED = 3
Twins = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class GivenMetadata:
    """What a table says.

    Attributes:
        values: by id of the images that it names, value by column.
        blank: the values of others; None where there is no table.
        used: id of the table, where it lies among the images.
        read: what the summary says of the table: `rows`, `encoding`, `without_path`, `unnamed_columns`, `unmatched`
            with `rows` and the `first` of them.
    """

    values: Mapping[str, Values] = field(default_factory=dict)
    blank: Values | None = None
    used: str | None = None
    read: Mapping[str, Any] = field(default_factory=dict)


def given_metadata(uri: str, listing: Listing, options: DataOptions) -> GivenMetadata:
    """Read the table that the options name; nothing where they name none.

    Args:
        uri: the data folder.
        listing: what it holds.
        options: table, and its column of paths.

    Raises:
        SourceError: the table can't be read, or is of other images.
    """
    if options.metadata_csv is None:
        return GivenMetadata()
    where = f"data.metadata_csv {options.metadata_csv}"
    content = content_of(options.metadata_csv, "data.metadata_csv")
    table = read_metadata_table(content, where, options.metadata_path_column)
    used = id_within(options.metadata_csv, uri, listing)
    beside = used.rpartition("/")[0] if used else ""
    values, unmatched = match_metadata(table, Finder(listing.files, roots_of(uri), beside))
    read = {
        "rows": len(table.rows),
        "encoding": table.encoding,
        "without_path": table.without_path,
        "unnamed_columns": table.unnamed,
        "unmatched": {
            "rows": len(unmatched),
            "first": [f"line {row.line}: {row.path}" for row in unmatched[:_NAMED]],
        },
    }
    return GivenMetadata(values, table.blank, used, read)


def with_metadata(
    relations: Mapping[str, Relation], given: GivenMetadata, twins: Sequence[Twins] = ()
) -> dict[str, Relation]:
    """Return the relations with what is known of each image.

    An image that the table doesn't name has what it says of its source, or else of the images that show the same, where
    it says one thing of all of them.

    Args:
        relations: by id.
        given: what the table says.
        twins: ids of images that show the same as one, by its id: the very same first, then nearly the same.
    """
    if given.blank is None:
        return dict(relations)
    known = {
        file: values
        for file, relation in relations.items()
        if (values := given.values.get(file, given.values.get(relation.source or file))) is not None
    }
    found = {}
    for file, relation in relations.items():
        values = known.get(file)
        for others in twins if values is None else ():
            said = {known[other] for other in others.get(file, ()) if other in known}
            if len(said) == 1:
                [values] = said
                break
            if said:
                break
        found[file] = replace(relation, metadata=values or given.blank)
    return found


def twins_of(rows: Sequence[ImageRow], near: Iterable[tuple[int, int]]) -> tuple[Twins, Twins]:
    """Return which images show the very same pixels as each, and which nearly the same, by id.

    Args:
        rows: the images.
        near: pairs of them that are near-duplicates.
    """
    by_pixels: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        by_pixels[row.pixels].append(row.id)
    exact = {row.id: by_pixels[row.pixels] for row in rows if len(by_pixels[row.pixels]) > 1}
    alike: dict[str, list[str]] = defaultdict(list)
    for one, other in near:
        alike[rows[one].id].append(rows[other].id)
        alike[rows[other].id].append(rows[one].id)
    return exact, alike


def describe_metadata(rows: Sequence[ImageRow], given: GivenMetadata) -> dict[str, Any] | None:
    """Return what the summary says of the table and of the images that are used; None where there is no table.

    Returns:
        Beside what was read: `images` that the table names, `inherited` by copies and duplicates, `missing` with their
        number and the `first` of them, and for each of the `columns` how many images have a value and the number of
        different ones.
    """
    if given.blank is None:
        return None
    named = sum(row.id in given.values for row in rows)
    missing = sorted(row.id for row in rows if row.id not in given.values and row.metadata == given.blank)
    columns = {}
    for index, (name, _) in enumerate(given.blank):
        values = [row.metadata[index][1] for row in rows if row.metadata and row.metadata[index][1]]
        columns[name] = {"images": len(values), "values": len(set(values))}
    return {
        **given.read,
        "images": named,
        "inherited": len(rows) - named - len(missing),
        "missing": {"images": len(missing), "first": missing[:_NAMED]},
        "columns": columns,
    }
