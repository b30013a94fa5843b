"""The folder that shards are written to, on this machine or in an object store: each file whole, or not there."""

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from components.formats.pushed_models import file_system
from components.tools.files import replacing
from components.tools.retries import with_retries


@dataclass(frozen=True)
class Place:
    """A folder; picklable.

    Attributes:
        uri: path or URI.
    """

    uri: str

    def names(self) -> set[str]:
        """Return the names of the files in it; none where there is no such folder yet."""
        store, root = file_system(self.uri)
        store.invalidate_cache()  # workers write, too
        try:
            found = with_retries(partial(store.ls, root, detail=False))
        except FileNotFoundError:
            return set()
        return {posixpath.basename(path.rstrip("/")) for path in found}

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        store, root = file_system(self.uri)
        return bytes(with_retries(partial(store.cat_file, posixpath.join(root, name))))

    def write(self, name: str, data: bytes) -> None:
        """Write a file: beside its place and then renamed, or in one request."""
        store, root = file_system(self.uri)
        if "://" in self.uri:
            with_retries(partial(store.pipe_file, posixpath.join(root, name), data))
            return
        Path(self.uri).mkdir(parents=True, exist_ok=True)
        with replacing(Path(self.uri, name)) as temporary:
            temporary.write_bytes(data)

    def delete(self, name: str) -> None:
        """Delete a file."""
        store, root = file_system(self.uri)
        with_retries(partial(store.rm_file, posixpath.join(root, name)))

    @contextmanager
    def opened(self, name: str) -> Iterator[Any]:
        """Open a file for reading here and there."""
        store, root = file_system(self.uri)
        with store.open(posixpath.join(root, name), "rb") as file:
            yield file
