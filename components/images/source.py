r"""Where the images come from: a folder on this machine, or an object store through fsspec.

A file is known by its id, its path relative to the folder with `/` between parts. Bytes of a name that aren't UTF-8
appear in it as `\xNN`, so that an id is always printable text.
"""

import os
import stat
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from components.tools.retries import reason, with_retries

PIECE = 4_000_000  # bytes of a file that are held at once, where nobody asks for the whole


class SourceError(RuntimeError):
    """A data folder that can't be read at all; the message says which and what to do."""


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
    """

    files: list[str]
    folders: list[str]
    unusable: list[tuple[str, str]]
    hidden: int
    linked: frozenset[str] = frozenset()
    stamps: Mapping[str, Stamp] = field(default_factory=dict)


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


def open_source(uri: str) -> Source:
    """Return the source behind a path or URI.

    Raises:
        SourceError: there is no such folder, or its store doesn't let us in.
    """
    if "://" in uri and not uri.startswith("file://"):
        return RemoteSource(uri)
    path = Path(uri.removeprefix("file://"))
    if not path.is_dir():
        raise SourceError(f"data: {'not a folder' if path.exists() else 'no such folder'}: {path}")
    return LocalSource(str(path))


def file_pieces(path: str | bytes | Path) -> Generator[bytes]:
    """Yield the bytes of a file on this machine, at most `PIECE` at a time.

    Raises:
        OSError: it can't be read.
    """
    with open(path, "rb", buffering=0) as file:
        # A byte more than a small file has, so that the next read finds its end; pipes have no size.
        most = min(PIECE, os.fstat(file.fileno()).st_size + 1)
        while piece := file.read(most if most > 1 else PIECE):
            yield piece


def stored_pieces(store: Any, path: str, size: int) -> Generator[bytes]:
    """Yield the bytes of an object, at most `PIECE` at a time; a dropped connection is tried again.

    Args:
        store: fsspec's file system.
        path: of the object.
        size: of the object, in bytes.
    """
    if size <= PIECE:  # in one call without a range, which an empty object has none of
        yield with_retries(lambda: store.cat_file(path))
        return
    for start in range(0, size, PIECE):
        end = min(start + PIECE, size)
        yield with_retries(partial(store.cat_file, path, start=start, end=end))


def printable(name: bytes) -> str:
    r"""Return a file name as text: UTF-8, other bytes as `\xNN`."""
    return name.decode("utf-8", "backslashreplace")


@dataclass
class LocalSource:
    """A folder of this machine. Links are followed inside the folder only."""

    root: str
    _names: dict[str, bytes] = field(default_factory=dict, repr=False)

    def list(self) -> Listing:
        """Find all files below the folder, following links that stay inside it."""
        root = os.path.realpath(os.fsencode(self.root))
        listing = Listing([], [], [], 0)
        hidden = 0
        names: dict[str, bytes] = {}
        linked: set[str] = set()
        stamps: dict[str, Stamp] = {}

        def visit(folder: bytes, prefix: bytes, above: tuple[bytes, ...]) -> None:
            nonlocal hidden
            try:
                inside = sorted(os.listdir(folder))
            except OSError as error:
                listing.unusable.append((printable(prefix) or ".", f"folder that can't be read: {error.strerror}"))
                return
            for name in inside:
                if name.startswith(b"."):
                    hidden += 1
                    continue
                path, relative = os.path.join(folder, name), os.path.join(prefix, name)
                file_id = printable(relative)
                while file_id in names:  # a name that spells out another's escaped byte
                    file_id += "~"
                try:
                    real = os.path.realpath(path)
                    found = os.stat(path)
                except OSError as error:
                    listing.unusable.append((file_id, f"dangling link or unreadable: {error.strerror}"))
                    continue
                if real != root and not real.startswith(root + b"/"):
                    listing.unusable.append((file_id, "link that leads out of the data folder"))
                elif stat.S_ISDIR(found.st_mode):
                    if real in above:
                        listing.unusable.append((file_id, "link to a folder it lies in"))
                        continue
                    listing.folders.append(file_id)
                    visit(path, relative, (*above, real))
                elif stat.S_ISREG(found.st_mode):
                    names[file_id] = relative
                    listing.files.append(file_id)
                    # The second time can't be set by hand: it tells of a file that was replaced by one as old.
                    stamps[file_id] = Stamp(found.st_size, f"{found.st_mtime_ns} {found.st_ctime_ns}", False)
                    if real != os.path.join(root, relative):
                        linked.add(file_id)
                else:
                    listing.unusable.append((file_id, "not a regular file"))

        visit(root, b"", (root,))
        self._names = {file_id: name for file_id, name in names.items() if name != os.fsencode(file_id)}
        return Listing(
            sorted(listing.files), sorted(listing.folders), sorted(listing.unusable), hidden, frozenset(linked), stamps
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
        files: list[str] = []
        folders: set[str] = set()
        stamps: dict[str, Stamp] = {}
        hidden = 0
        for path, about in sorted(found.items()):
            file_id = path[len(root) :].lstrip("/")
            parts = file_id.split("/")
            if not file_id or any(part.startswith(".") for part in parts):
                hidden += 1
                continue
            files.append(file_id)
            stamps[file_id] = _stamp(about)
            folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
        self._long = {file_id: stamp.size for file_id, stamp in stamps.items() if stamp.size > PIECE}
        return Listing(files, sorted(folders), [], hidden, stamps=stamps)

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
            store, root = fsspec.core.url_to_fs(self.uri)
        except (ValueError, ImportError) as error:
            raise SourceError(f"data: can't open {self.uri}: {reason(error)}") from None
        return store, root


# By what a store tells that an object's content changed, and by what that it was written again, in fsspec's words.
_TAGS = ("ETag", "generation", "etag")  # of S3, of Google, of Azure
_TIMES = ("LastModified", "updated", "last_modified", "mtime")


def _stamp(about: Mapping[str, Any]) -> Stamp:
    tag = next((str(about[key]) for key in _TAGS if about.get(key)), "")
    time = next((str(about[key]) for key in _TIMES if about.get(key)), "")
    return Stamp(int(about.get("size") or 0), tag or time, bool(tag))
