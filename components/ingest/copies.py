"""Which images are copies of others that an earlier split made, and what follows from that. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.images.copies import class_folder, find_copies
from components.images.copy_mark import CopyMark
from components.images.named_sources import Origin
from components.images.places import name_of, path_within
from components.ingest.label_table import Label
from components.ingest.layout import Entry, Layout

_NAMED = 10


@dataclass(frozen=True)
class Relation:
    """An image's place among its copies.

    Attributes:
        label: its class; a copy follows its source's corrected label, unless its own is corrected.
        source: id of the original that it is a copy of; None for an original, and for a copy whose source isn't there.
        given: what a table of labels says of it, or else of its source.
        tie: what ties it to others: its source's id or its own, or what copies of a missing source have in common.
        doubt: why that isn't sure; "" where it is.
        metadata: what a table says of it beyond its label: values by column; see `components.ingest.metadata`.
    """

    label: str
    source: str | None
    tie: str
    given: Label | None = None
    doubt: str = field(default="", compare=False)
    metadata: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True)
class Evidence:
    """What says more of copies than their names do.

    Attributes:
        table: source and copy number by id, of the copies that `lineage.csv` lists; None where there is none.
        marks: by id, of the images that have one.
        digests: SHA-256 of the images' files, by id; needed with marks.
        listed: names of the data folders whose copies the table lists; "" if there is one folder.
    """

    table: Mapping[str, tuple[str, int]] | None = None
    marks: Mapping[str, CopyMark] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    listed: tuple[str, ...] = ("",)


def relate(
    entries: Sequence[Entry], layout: Layout, labels: Mapping[str, Label], evidence: Evidence | None = None
) -> dict[str, Relation]:
    """Return each image's relation, by id.

    A copy's source lies in the copy's own split, or in another one if the split has torn the two apart: in train if
    there is one, else in eval, else in test.

    Args:
        entries: the images.
        layout: of their folder.
        labels: corrected labels, by id.
        evidence: what is known beyond names.
    """
    evidence = evidence or Evidence()
    index_of = {entry.id: index for index, entry in enumerate(entries)}
    copies = find_copies(
        [layout.path_in_split(entry.id) for entry in entries],
        splits=[entry.split for entry in entries],
        table=None if evidence.table is None else _by_index(evidence.table, index_of),
        marks={index_of[file_id]: mark for file_id, mark in evidence.marks.items() if file_id in index_of},
        digests=[evidence.digests.get(entry.id, "") for entry in entries] if evidence.marks else (),
        listed=[name_of(entry.id, layout.places) in evidence.listed for entry in entries],
        folders=[class_folder(path_within(layout.path_in_split(entry.id), layout.places)) for entry in entries],
    )
    found = {}
    for index, entry in enumerate(entries):
        root = copies.roots.get(index)
        tie = copies.lost.get(index if root is None else root)
        doubt = copies.doubts.get(index, "")
        if root is not None:
            source = entries[root]
            given = labels.get(entry.id, labels.get(source.id))
            label = given.name if given else entry.label
            found[entry.id] = Relation(label, source.id, tie or source.id, given, doubt)
        else:
            found[entry.id] = Relation(entry.label, None, tie or entry.id, labels.get(entry.id), doubt)
    return found


def _by_index(table: Mapping[str, tuple[str, int]], index_of: Mapping[str, int]) -> dict[int, Origin | str]:
    return {
        index_of[file]: Origin(index_of[source], number) if source in index_of else source
        for file, (source, number) in table.items()
        if file in index_of
    }


def doubtful_copies(relations: Mapping[str, Relation]) -> dict[str, Any]:
    """Return how many images' place among copies is in doubt, and for each reason how many and the first of them."""
    by_reason: dict[str, list[str]] = {}
    for file_id, relation in sorted(relations.items()):
        if relation.doubt:
            by_reason.setdefault(relation.doubt, []).append(file_id)
    reasons = sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0]))
    return {
        "images": sum(map(len, by_reason.values())),
        "reasons": [{"reason": reason, "images": len(ids), "first": ids[:_NAMED]} for reason, ids in reasons],
    }
