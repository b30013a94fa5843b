"""One file, here or in an object store: what its store says of it, its digest, a copy of it on this machine."""

import hashlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from components.images.pieces import file_pieces, stored_pieces
from components.images.source import SourceError, Stamp, stamp_of
from components.tools.passwords import revealed
from components.tools.retries import reason, with_retries


@dataclass(frozen=True)
class StoredFile:
    """A file by its path, or its URI in an object store."""

    uri: str

    @property
    def name(self) -> str:
        """Without folders."""
        return PurePosixPath(self.uri).name

    @property
    def is_remote(self) -> bool:
        """Whether it lies in an object store."""
        return "://" in self.uri

    def is_there(self) -> bool:
        """Return whether there is a file of that name, not a folder or prefix.

        Raises:
            SourceError: the store doesn't let us look.
        """
        if not self.is_remote:
            return Path(self.uri).is_file()
        return self._about().get("type") == "file"

    def stamp(self) -> Stamp:
        """Return what can be said of it without reading it."""
        if self.is_remote:
            return stamp_of(self._about())
        found = Path(self.uri).stat()
        return Stamp(found.st_size, f"{found.st_mtime_ns} {found.st_ctime_ns}", False)

    def sha256(self) -> str:
        """Return the digest of its content, read in pieces.

        Raises:
            SourceError: it can't be read.
        """
        digest = hashlib.sha256()
        try:
            for piece in self.pieces():
                digest.update(piece)
        except OSError as error:
            raise self._unreadable(error) from None
        return digest.hexdigest()

    def on_this_machine(self, copy: Path) -> Path:
        """Return its path, or, of a file in an object store, that of a copy that is made.

        Raises:
            SourceError: it can't be read.
            OSError: the copy can't be written.
        """
        if not self.is_remote:
            return Path(self.uri)
        store, path = self._store()
        try:
            with_retries(lambda: store.get_file(path, str(copy)))
        except FileNotFoundError as error:
            raise self._unreadable(error) from None
        return copy

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """Open it for reading here and there, wherever it lies.

        Raises:
            SourceError: it can't be read.
        """
        if not self.is_remote:
            with Path(self.uri).open("rb") as file:
                yield file
            return
        store, path = self._store()
        try:
            with with_retries(lambda: store.open(path, "rb")) as file:
                yield file
        except FileNotFoundError as error:
            raise self._unreadable(error) from None

    def pieces(self) -> Generator[bytes]:
        """Yield its bytes, a piece at a time; see `file_pieces`."""
        if not self.is_remote:
            return file_pieces(self.uri)
        store, path = self._store()
        return stored_pieces(store, path, self.stamp().size)

    def _about(self) -> dict[str, Any]:
        store, path = self._store()
        try:
            return dict(with_retries(lambda: store.info(path)))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._unreadable(error) from None

    def _store(self) -> tuple[Any, str]:
        import fsspec  # takes a quarter of a second, and a file of this machine doesn't need it

        try:
            return fsspec.core.url_to_fs(revealed(self.uri))  # type: ignore[no-any-return]
        except (ValueError, ImportError) as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: Exception) -> SourceError:
        why = error.strerror if isinstance(error, OSError) and error.strerror else reason(error)
        hint = ". Check the address and the credentials" if self.is_remote else ""
        return SourceError(f"data: can't read {self.uri}: {why}{hint}")
