"""Which images are copies of others that an earlier split made: their files' names say it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.images.names import is_copy, source_keys
from components.ingest.label_table import Label
from components.ingest.layout import Entry, Layout


@dataclass(frozen=True)
class Relation:
    """An image's place among its copies.

    Attributes:
        label: its class; a copy follows its source's corrected label, unless its own is corrected.
        source: id of the image that it is a copy of; None for an original, and for a copy whose source isn't there.
        given: what a table of labels says of it, or else of its source.
        tie: what ties it to others: its source's id or its own, or what copies of a missing source have in common.
    """

    label: str
    source: str | None
    tie: str
    given: Label | None = None


def relate(entries: Sequence[Entry], layout: Layout, labels: Mapping[str, Label]) -> dict[str, Relation]:
    """Return each image's relation, by id.

    A copy's source lies in the copy's own split, or in another one if the split has torn the two apart: in train if
    there is one of its name, else in eval, else in test.

    Args:
        entries: the images.
        layout: of their folder.
        labels: corrected labels, by id.
    """
    anywhere = [layout.path_in_split(entry.id) for entry in entries]
    in_split = [f"{entry.split}/{path}" for entry, path in zip(entries, anywhere, strict=True)]
    own_keys, keys = source_keys(in_split), source_keys(anywhere)
    copies = [is_copy(entry.id.rpartition("/")[2]) for entry in entries]
    own = {path: entry for path, entry, copy in zip(in_split, entries, copies, strict=True) if not copy}
    other: dict[str, Entry] = {}
    for path, entry, copy in sorted(zip(anywhere, entries, copies, strict=True), key=lambda one: one[1].split):
        if not copy:
            other.setdefault(path, entry)
    found = {}
    for entry, copy, own_key, key in zip(entries, copies, own_keys, keys, strict=True):
        source = own.get(own_key or "", other.get(key or "")) if copy else None
        if source is not None:
            given = labels.get(entry.id, labels.get(source.id))
            found[entry.id] = Relation(given.name if given else entry.label, source.id, source.id, given)
        else:
            tie = f"copies of {key}" if copy and key else entry.id
            found[entry.id] = Relation(entry.label, None, tie, labels.get(entry.id))
    return found
