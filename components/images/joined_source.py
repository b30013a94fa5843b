"""Several folders read as one: the name of each begins the ids of its files."""

from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass

from components.images.source import Listing, Source, Stamp


@dataclass
class JoinedSource:
    """Sources by the names of their folders."""

    parts: Mapping[str, Source]

    def list(self) -> Listing:
        """Find all files below the folders."""
        found = {name: part.list() for name, part in self.parts.items()}
        return Listing(
            files=sorted(below(name, one) for name, listing in found.items() for one in listing.files),
            folders=sorted(below(name, one) for name, listing in found.items() for one in listing.folders),
            unusable=sorted(
                (below(name, one), why) for name, listing in found.items() for one, why in listing.unusable
            ),
            hidden=sum(listing.hidden for listing in found.values()),
            linked=frozenset(below(name, one) for name, listing in found.items() for one in listing.linked),
            stamps={
                below(name, one): stamp for name, listing in found.items() for one, stamp in listing.stamps.items()
            },
            left_out=dict(sum((Counter(listing.left_out) for listing in found.values()), Counter())),
            outside=tuple(
                (below(name, one), target) for name, listing in found.items() for one, target in listing.outside
            ),
        )

    def read(self, file_id: str) -> bytes:
        """Return the bytes of one file."""
        name, _, inside = file_id.partition("/")
        return self.parts[name].read(inside)

    def pieces(self, file_id: str) -> Generator[bytes]:
        """Yield the bytes of one file."""
        name, _, inside = file_id.partition("/")
        return self.parts[name].pieces(inside)


def below(name: str, file_id: str) -> str:
    """Return the id that a file or folder of one of the folders has among all; "." is that folder itself."""
    if not name:
        return file_id
    return name if file_id == "." else f"{name}/{file_id}"


def taken_apart(listing: Listing, names: Iterable[str]) -> dict[str, Listing]:
    """Return the listing of each folder, with ids that begin in it.

    Args:
        listing: of a `JoinedSource`; of one folder that is named "" it is the folder's.
        names: of the folders.
    """
    names = list(names)
    if names == [""]:
        return {"": listing}
    files, folders, linked = (_by_name(ids) for ids in (listing.files, listing.folders, listing.linked))
    unusable, outside = _pairs_by_name(listing.unusable), _pairs_by_name(listing.outside)
    stamps: dict[str, dict[str, Stamp]] = defaultdict(dict)
    for file_id, stamp in listing.stamps.items():
        name, _, inside = file_id.partition("/")
        stamps[name][inside] = stamp
    return {
        name: Listing(
            files=files[name],
            folders=folders[name],
            unusable=unusable[name],
            hidden=0,
            linked=frozenset(linked[name]),
            stamps=stamps[name],
            outside=tuple(outside[name]),
        )
        for name in names
    }


def _by_name(ids: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for one in ids:
        name, _, inside = one.partition("/")
        found[name].append(inside)
    return found


def _pairs_by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for one, said in pairs:
        name, _, inside = one.partition("/")
        found[name].append((inside or ".", said))
    return found
