"""What a reader finds in a container: its files, and where their bytes lie."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from components.images.containers.members import Member
from components.images.source import Listing


@dataclass(frozen=True)
class Contents:
    """The files of a container.

    Attributes:
        path: of the file that holds their bytes: the container itself, or what was unpacked.
        members: where each lies, by id.
        listing: the same files, as a folder's are listed.
    """

    path: Path
    members: Mapping[str, Member]
    listing: Listing


def listed(ids: Iterable[str], unusable: Iterable[tuple[str, str]]) -> Listing:
    """Return the listing of a table's images, whose folders are those that their ids name."""
    files = sorted(ids)
    parted = [id_.split("/") for id_ in files]
    folders = {"/".join(parts[:depth]) for parts in parted for depth in range(1, len(parts))}
    return Listing(files, sorted(folders), sorted(unusable), 0)
