r"""Where the images come from: a folder on this machine, or an object store through fsspec.

A file is known by its id, its path relative to the folder with `/` between parts. Bytes of a name that aren't UTF-8
appear in it as `\xNN`, so that an id is always printable text.
"""

import os
import stat
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from components.images.left_out import HIDDEN, counted, hollow, kind_of, sift
from components.images.pieces import PIECE, file_pieces, stored_pieces
from components.tools.passwords import revealed
from components.tools.retries import reason, with_retries


class SourceError(RuntimeError):
    """A data folder that can't be read at all; the message says which and what to do."""


class DamagedFile(OSError):
    """A file whose bytes aren't what its container says; the message is the reason, in a few words."""


@dataclass(frozen=True)
class Stamp:
    """What a store says of a file that nobody has read.

    Attributes:
        size: in bytes.
        tag: what else changes with the file: an object store's tag, or times; "" where the store says nothing.
        is_exact: whether another content always has another tag. Times don't promise that.
    """

    size: int
    tag: str
    is_exact: bool


@dataclass(frozen=True)
class Listing:
    """What a folder holds.

    Attributes:
        files: ids of all regular files, sorted.
        folders: ids of all folders, sorted.
        unusable: id and reason of what is neither: dangling links, links that lead out, loops, pipes.
        hidden: number of files and folders left out because their name begins with a dot.
        linked: ids of those files that are links or lie in a folder that is one.
        stamps: what the store says of each file, by id.
        left_out: number of files and folders that are surely no data, by kind, hidden ones included.
        outside: id and target of links to folders outside the data folder, which weren't followed.
    """

    files: list[str]
    folders: list[str]
    unusable: list[tuple[str, str]]
    hidden: int
    linked: frozenset[str] = frozenset()
    stamps: Mapping[str, Stamp] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    outside: tuple[tuple[str, str], ...] = ()


class Source(Protocol):
    """A folder of files, readable from several processes (so it must pickle)."""

    def list(self) -> Listing:
        """Find all files below the folder."""

    def read(self, file_id: str) -> bytes:
        """Return the bytes of one file.

        Raises:
            OSError: it can't be read.
        """

    def pieces(self, file_id: str) -> Generator[bytes]:
        """Yield the bytes of one file, at most `PIECE` at a time: nothing says how long it is.

        Raises:
            OSError: it can't be read.
        """


def open_source(uri: str, follow_links: bool = False) -> Source:
    """Return the source behind a path or URI.

    Args:
        uri: a folder, or an object store's prefix.
        follow_links: whether links that lead out of the folder are followed.

    Raises:
        SourceError: there is no such folder, or its store doesn't let us in.
    """
    if "://" in uri and not uri.startswith("file://"):
        return RemoteSource(uri)
    path = Path(uri.removeprefix("file://"))
    if not path.is_dir():
        raise SourceError(f"data: {'not a folder' if path.exists() else 'no such folder'}: {path}")
    return LocalSource(str(path), follow_links)


def printable(name: bytes) -> str:
    r"""Return a file name as text: UTF-8, other bytes as `\xNN`."""
    return name.decode("utf-8", "backslashreplace")


@dataclass
class LocalSource:
    """A folder of this machine. Links are followed inside the folder, and out of it where that is asked for."""

    root: str
    follow_links: bool = False
    _names: dict[str, bytes] = field(default_factory=dict, repr=False)

    def list(self) -> Listing:
        """Find all files below the folder that may be data."""
        walk = _Walk(os.path.realpath(os.fsencode(self.root)), self.follow_links)
        walk.visit(walk.root, b"", (walk.root,))
        self._names = {file_id: name for file_id, name in walk.names.items() if name != os.fsencode(file_id)}
        unusable = sorted(walk.unusable)
        made_here = hollow(walk.folders, [*walk.names, *(file_id for file_id, _ in unusable)], walk.left_out)
        return Listing(
            files=sorted(walk.names),
            folders=sorted(set(walk.folders) - made_here),
            unusable=unusable,
            hidden=sum(kind == HIDDEN for kind in walk.left_out.values()),
            linked=frozenset(walk.linked),
            stamps=walk.stamps,
            left_out=counted(walk.left_out.values()),
            outside=tuple(sorted(walk.outside)),
        )

    def read(self, file_id: str) -> bytes:
        """Return the bytes of one file."""
        with open(self._path(file_id), "rb") as file:
            return file.read()

    def pieces(self, file_id: str) -> Generator[bytes]:
        """Yield the bytes of one file, at most `PIECE` at a time."""
        return file_pieces(self._path(file_id))

    def _path(self, file_id: str) -> bytes:
        return os.path.join(os.fsencode(self.root), self._names.get(file_id, os.fsencode(file_id)))


@dataclass
class _Walk:
    """What is found on the way through a local folder."""

    root: bytes
    follow_links: bool
    names: dict[str, bytes] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    unusable: list[tuple[str, str]] = field(default_factory=list)
    outside: list[tuple[str, str]] = field(default_factory=list)
    linked: set[str] = field(default_factory=set)
    stamps: dict[str, Stamp] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def visit(self, folder: bytes, prefix: bytes, above: tuple[bytes, ...]) -> None:
        """Go through one folder.

        Args:
            folder: its path.
            prefix: its path below the root.
            above: real paths of all folders that lead to it, itself included.
        """
        try:
            inside = sorted(os.listdir(folder))
        except OSError as error:
            self.unusable.append((printable(prefix) or ".", f"folder that can't be read: {error.strerror}"))
            return
        beside = {os.fsdecode(name) for name in inside}
        for name in inside:
            path, relative = os.path.join(folder, name), os.path.join(prefix, name)
            file_id = printable(relative)
            if kind := kind_of(os.fsdecode(name), beside):
                self.left_out[file_id] = kind
                continue
            while file_id in self.names:  # a name that spells out another's escaped byte
                file_id += "~"
            self._take(path, relative, file_id, above)

    def _take(self, path: bytes, relative: bytes, file_id: str, above: tuple[bytes, ...]) -> None:
        try:
            real = os.path.realpath(path)
            found = os.stat(path)
        except OSError as error:
            self.unusable.append((file_id, f"dangling link or unreadable: {error.strerror}"))
            return
        leads_out = real != self.root and not real.startswith(self.root + b"/")
        if leads_out and not self.follow_links:
            self.unusable.append((file_id, "link that leads out of the data folder"))
            if stat.S_ISDIR(found.st_mode):
                self.outside.append((file_id, printable(real)))
        elif stat.S_ISDIR(found.st_mode):
            if real in above:
                self.unusable.append((file_id, "link to a folder it lies in"))
                return
            self.folders.append(file_id)
            self.visit(path, relative, (*above, real))
        elif stat.S_ISREG(found.st_mode):
            self.names[file_id] = relative
            # The second time can't be set by hand: it tells of a file that was replaced by one as old.
            self.stamps[file_id] = Stamp(found.st_size, f"{found.st_mtime_ns} {found.st_ctime_ns}", False)
            if real != os.path.join(self.root, relative):
                self.linked.add(file_id)
        else:
            self.unusable.append((file_id, "not a regular file"))


@dataclass
class RemoteSource:
    """A prefix of an object store (`s3://bucket/prefix`, `gs://…`, whatever fsspec knows).

    Credentials and endpoint come from the environment (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, …).
    """

    uri: str
    _long: dict[str, int] = field(default_factory=dict, repr=False)  # sizes of objects of more than one piece

    def list(self) -> Listing:
        """Find all objects below the prefix."""
        store, root = self._store()
        root = root.rstrip("/")
        try:
            found = with_retries(lambda: store.find(root, detail=True))
        except FileNotFoundError:
            found = {}
        except OSError as error:
            raise SourceError(
                f"data: can't list {self.uri}: {reason(error)}. Check the address and the credentials"
            ) from None
        if not found:
            raise SourceError(f"data: nothing found at {self.uri}: no such bucket or folder, or it is empty")
        about = {path[len(root) :].lstrip("/"): entry for path, entry in found.items()}
        files, folders, left_out = sift(file_id for file_id in about if file_id)
        stamps = {file_id: stamp_of(about[file_id]) for file_id in files}
        self._long = {file_id: stamp.size for file_id, stamp in stamps.items() if stamp.size > PIECE}
        return Listing(
            files=files,
            folders=folders,
            unusable=[],
            hidden=sum(kind == HIDDEN for kind in left_out.values()),
            stamps=stamps,
            left_out=counted(left_out.values()),
        )

    def read(self, file_id: str) -> bytes:
        """Return the bytes of one object; a dropped connection is tried again."""
        store, root = self._store()
        return with_retries(lambda: store.cat_file(f"{root.rstrip('/')}/{file_id}"))

    def pieces(self, file_id: str) -> Generator[bytes]:
        """Yield the bytes of one object, at most `PIECE` at a time; a dropped connection is tried again."""
        store, root = self._store()
        return stored_pieces(store, f"{root.rstrip('/')}/{file_id}", self._long.get(file_id, 0))

    def _store(self) -> tuple[Any, str]:
        import fsspec  # takes a quarter of a second, and a local folder doesn't need it

        try:
            store, root = fsspec.core.url_to_fs(revealed(self.uri))
        except (ValueError, ImportError) as error:
            raise SourceError(f"data: can't open {self.uri}: {reason(error)}") from None
        return store, root


# By what a store tells that an object's content changed, and by what that it was written again, in fsspec's words.
_TAGS = ("ETag", "generation", "etag")  # of S3, of Google, of Azure
_TIMES = ("LastModified", "updated", "last_modified", "mtime")


def stamp_of(about: Mapping[str, Any]) -> Stamp:
    """Return the stamp of an object from what fsspec's `info` and `find` say of it."""
    tag = next((str(about[key]) for key in _TAGS if about.get(key)), "")
    time = next((str(about[key]) for key in _TIMES if about.get(key)), "")
    return Stamp(int(about.get("size") or 0), tag or time, bool(tag))
