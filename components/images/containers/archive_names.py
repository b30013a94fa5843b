r"""What the names in an archive mean: ids of files, links that stay inside, what is left out. Pure.

Nothing is ever written under a name from an archive, so none can lead out of a folder; one that tries to is unusable.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from components.images.left_out import HIDDEN, counted, hollow, kind_of
from components.images.source import Listing

# Of links to links; as many as Linux follows.
_MOST_LINKS = 40
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class ArchiveEntry:
    """One entry, as the archive has it.

    Attributes:
        name: printable text, `/` between its parts.
        kind: "hard link" is another name of a file, "link" a symbolic one; what is "other" has no content.
        target: of a link: relative to its folder; of a hard link: a name in the archive.
        unusable: why its content can't be read, in a few words; "" where it can.
    """

    name: str
    kind: Literal["file", "folder", "link", "hard link", "other"]
    target: str = ""
    unusable: str = ""


@dataclass(frozen=True)
class Arrangement:
    """The files of an archive.

    Attributes:
        members: number of the entry that holds the content, by id.
        folders: ids, with those that hold nothing.
        unusable: id and reason.
        left_out: kind of what is surely no data, by the id of the folder or file (see `components.images.left_out`).
        linked: ids that are links, or lie in a folder that is one.
    """

    members: dict[str, int]
    folders: list[str]
    unusable: list[tuple[str, str]]
    left_out: dict[str, str]
    linked: frozenset[str]

    def listing(self) -> Listing:
        """Return the same as a folder's."""
        return Listing(
            files=sorted(self.members),
            folders=self.folders,
            unusable=sorted(self.unusable),
            hidden=sum(kind == HIDDEN for kind in self.left_out.values()),
            linked=self.linked,
            left_out=counted(self.left_out.values()),
        )


def arrange(entries: Sequence[ArchiveEntry]) -> Arrangement:
    """Return the files by id, without the folder that is around all of them.

    Of several entries of one name the last counts, as when the archive is unpacked.
    """
    windows = not any("/" in entry.name for entry in entries)
    members: dict[str, int] = {}
    folders: set[str] = set()
    links: dict[str, str] = {}
    unusable: list[tuple[str, str]] = []
    left_out: dict[str, str] = {}
    names = [entry.name.replace("\\", "/") if windows else entry.name for entry in entries]
    parted = [[part for part in name.split("/") if part not in ("", ".")] for name in names]
    inside = _names_by_folder(parted)
    for number, (entry, name, parts) in enumerate(zip(entries, names, parted, strict=True)):
        id_ = "/".join(parts)
        if not id_:
            continue
        if kind := _left_out(parts, inside):
            left_out["/".join(parts[: kind[0] + 1])] = kind[1]
        elif reason := _escapes(name, parts) or entry.unusable:
            unusable.append((id_, reason))
        elif entry.kind == "folder":
            folders.add(id_)
        elif entry.kind == "other":
            unusable.append((id_, "not a regular file"))
        else:
            if id_ in members or id_ in links:
                unusable.append((f"{id_}~{number}", "the archive holds another file of that name further on"))
                members.pop(id_, None)
                links.pop(id_, None)
            if entry.kind == "file":
                members[id_] = number
            elif entry.kind == "hard link":
                target = posixpath.normpath(entry.target.lstrip("/"))
                if target in members:
                    members[id_] = members[target]
                else:
                    unusable.append((id_, "hard link to a file that isn't in the archive"))
            else:
                links[id_] = entry.target
    folders.update(above for id_ in (*members, *links, *folders.copy()) for above in _above(id_))
    linked, lost = _followed(links, members, folders)
    unusable += lost
    members |= linked
    folders.update(above for id_ in linked for above in _above(id_))
    folders -= hollow(folders, [*members, *links, *(id_ for id_, _ in unusable)], left_out)
    return _unwrapped(Arrangement(members, sorted(folders - set(links)), unusable, left_out, frozenset(linked)), links)


def _names_by_folder(parted: Iterable[Sequence[str]]) -> dict[tuple[str, ...], set[str]]:
    """Return the names in each folder, by its parts."""
    found: dict[tuple[str, ...], set[str]] = {}
    for parts in parted:
        for depth, part in enumerate(parts):
            found.setdefault(tuple(parts[:depth]), set()).add(part)
    return found


def _left_out(parts: Sequence[str], inside: Mapping[tuple[str, ...], set[str]]) -> tuple[int, str] | None:
    """Return the place of the first part that is surely no data, and its kind."""
    kinds = ((depth, kind_of(part, inside[tuple(parts[:depth])])) for depth, part in enumerate(parts) if part != "..")
    return next(((depth, kind) for depth, kind in kinds if kind), None)


def _escapes(name: str, parts: Sequence[str]) -> str:
    if ".." in parts:
        return "a name that leads out of the archive"
    if name.startswith(("/", "\\")) or _DRIVE.match(name):
        return "an absolute name, which leads out of the archive"
    return "a name with a NUL" if "\0" in name else ""


def _followed(
    links: Mapping[str, str], members: Mapping[str, int], folders: Iterable[str]
) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return what links inside the archive lead to, as further files, and those that lead nowhere or out of it."""
    found: dict[str, int] = {}
    lost: list[tuple[str, str]] = []
    known = set(folders) - links.keys()
    for link in links:
        place, steps = link, 0
        while place in links and steps < _MOST_LINKS:
            place, steps = posixpath.normpath(posixpath.join(posixpath.dirname(place), links[place])), steps + 1
        if place in members:
            found[link] = members[place]
        elif place.startswith(("/", "..")):
            lost.append((link, "link that leads out of the archive"))
        elif place == "." or (place in known and link.startswith(f"{place}/")):
            lost.append((link, "link to a folder it lies in"))
        elif place in known:
            inside = f"{place}/"
            found |= {link + id_[len(place) :]: number for id_, number in members.items() if id_.startswith(inside)}
        else:
            lost.append((link, "dangling link"))
    return found, lost


def _unwrapped(found: Arrangement, links: Iterable[str]) -> Arrangement:
    """Take away the folder around the data: nobody can name a folder in an archive."""
    wrapper = _wrapper([*found.members, *links])
    if not wrapper:
        return found

    def inside(id_: str) -> str:
        return id_.removeprefix(wrapper)

    beside = {id_ for id_ in found.members if not id_.startswith(wrapper)}
    members = {
        f"{inside(id_)}~" if inside(id_) in beside - {id_} else inside(id_): at for id_, at in found.members.items()
    }
    folders = sorted(inside(id_) for id_ in found.folders if not wrapper.startswith(f"{id_}/"))
    unusable = [(inside(id_), reason) for id_, reason in found.unusable]
    return Arrangement(members, folders, unusable, found.left_out, frozenset(map(inside, found.linked)))


def _wrapper(ids: Iterable[str]) -> str:
    """Return the folders to take away, `faces/`: those around `train/`, else one that all files in folders share."""
    parents = {tuple(id_.split("/")[:-1]) for id_ in ids} - {()}
    if not parents:
        return ""
    shared = _common(parents)
    for depth in range(len(shared) + 1):
        if any(len(parent) > depth and parent[depth].lower() == "train" for parent in parents):
            return "".join(f"{part}/" for part in shared[:depth])
    return f"{shared[0]}/" if shared and any(len(parent) > 1 for parent in parents) else ""


def _common(parents: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    first, last = min(parents), max(parents)
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:length]


def _above(id_: str) -> Iterable[str]:
    parts = id_.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))
