"""Where pushed models stand, on this machine or in an object store, and whether one is whole."""

import posixpath
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components.formats.pushed_models import file_system, is_complete, version_names
from components.formats.saved_model import is_saved_model, serving_folder
from components.tools.retries import with_retries

# What changes when a file does, as the file systems name it. Who copies a file may set its time of modification, but
# not that of its last change (`created`, fsspec's name for a local file's ctime).
_TELLING = ("size", "created", "mtime", "ino", "ETag", "etag", "LastModified", "updated", "generation")

# All files of a version, and what tells that one has changed.
Traits = tuple[tuple[Any, ...], ...]


class Shelf:
    """A folder with numbered versions, or the folder of a single one.

    Args:
        place: folder or URI. That of a single version is one with a SavedModel in it; its number is its name, 1 where
            that is none.
    """

    def __init__(self, place: str) -> None:
        self._store, self._root = file_system(place)
        self._is_local = "://" not in place
        self._single = next((folder for folder in self._single_folders() if is_saved_model(folder)), None)

    def _single_folders(self) -> list[Path]:
        return [Path(self._root), serving_folder(self._root)] if self._is_local else []

    @property
    def is_single(self) -> bool:
        """Whether there is one version, and never another."""
        return self._single is not None

    def versions(self) -> list[int]:
        """Return the numbers of the versions, whole or not, the newest first."""
        if self._single is not None:
            name = self._single.resolve().name
            return [int(name) if name.isascii() and name.isdecimal() else 1]
        return sorted(self._names(), reverse=True)

    def traits(self, version: int) -> Traits | None:
        """Return what a version's files are like, to be compared; None where files are missing."""
        try:
            folder = self._folder(version)
        except FileNotFoundError:
            return None
        self._store.invalidate_cache()
        if not is_complete(self._store, folder):
            return None
        found = with_retries(lambda: self._store.find(folder, detail=True))
        return tuple(sorted((path, *(str(info.get(key)) for key in _TELLING)) for path, info in found.items()))

    @contextmanager
    def folder(self, version: int) -> Iterator[Path]:
        """Yield a version's folder; where it is in an object store, a copy that is there as long as the block runs.

        Raises:
            OSError: it can't be copied.
        """
        folder = self._folder(version)
        if self._is_local:
            yield Path(folder)
            return
        with tempfile.TemporaryDirectory(prefix="affect-serve-") as place:
            copy = Path(place) / "model"
            with_retries(lambda: self._store.get(f"{folder}/", f"{copy}/", recursive=True))
            yield copy

    def _folder(self, version: int) -> str:
        if self._single is not None:
            return str(self._single)
        if (name := self._names().get(version)) is None:
            raise FileNotFoundError(f"version {version} is gone")
        return posixpath.join(self._root, name)

    def _names(self) -> dict[int, str]:
        """Return the folders' names by number."""
        return {int(name): name for name in version_names(self._store, self._root)}
