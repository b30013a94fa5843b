"""Images in one file, or in a few, read as if they lay in a folder: archives, Parquet, FER2013's table.

What is compressed as a whole, or stored by columns, is unpacked once, into one file in a scratch folder; zip and plain
tar are read where they are. A container in an object store is copied there first.
"""

import errno
import functools
import os
import shutil
import tempfile
import weakref
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from components.images.containers.contents import Contents
from components.images.containers.kind import container_at, kind_of
from components.images.containers.members import Member, pieces
from components.images.containers.other_data import is_named_like_an_image
from components.images.containers.read_fer2013 import read_fer2013
from components.images.containers.read_parquet import image_columns, is_parquet, read_parquet
from components.images.containers.read_tar import read_tar, unpack_tar
from components.images.containers.read_zip import read_zip
from components.images.containers.stored_file import StoredFile
from components.images.joined_source import JoinedSource
from components.images.places import found_places
from components.images.source import Listing, RemoteSource, Source, SourceError, open_source
from components.tools.files import read_json, write_json

_INDEX = "index.json"
_SHARD = ".parquet"
# Folders around the shards of a data set of Hugging Face: `data/`, `plain_text/`, `default/train/`.
_SHARD_DEPTH = 2
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def open_data(uri: str, scratch: Path | None = None, follow_links: bool = False) -> Source:
    """Return the source behind a path or URI: a folder's, or that of a file that holds images.

    Args:
        uri: a folder, an object store's prefix, a file in either; or several of them (`components.images.places`).
        scratch: an existing folder in which the source may make one of its own, until it is thrown away; by default
            the one for temporary files.
        follow_links: of a folder, see `open_source`.

    Raises:
        SourceError: there is nothing, or it holds no images in a form that can be read.
    """
    places = found_places(uri)
    if "" not in places:
        return JoinedSource({name: open_data(place, scratch, follow_links) for name, place in places.items()})
    if container := container_at(uri):
        return ContainerSource({container.name: container.uri}, container.name, scratch)
    source = open_source(uri, follow_links)
    is_remote = isinstance(source, RemoteSource)
    shards = _remote_shards(uri, source) if is_remote else _shards(Path(uri.removeprefix("file://")))
    return ContainerSource(shards, uri, scratch) if shards else source


def is_unpacked(source: Source) -> bool:
    """Return whether the names in a source are known only when something has been unpacked."""
    if isinstance(source, JoinedSource):
        return any(map(is_unpacked, source.parts.values()))
    return isinstance(source, ContainerSource)


@dataclass
class ContainerSource:
    """The files in a container. Pickles to where its index lies, so it must outlive its copies.

    Attributes:
        files: paths or URIs, by their path below the data folder; several are shards of one table.
        name: for messages.
        scratch: see `open_data`.
    """

    files: Mapping[str, str]
    name: str
    scratch: Path | None = None
    _own: Path | None = field(default=None, repr=False)

    def list(self) -> Listing:
        """Find all files in it, after unpacking what has to be."""
        scratch = self.scratch or Path(tempfile.gettempdir())
        try:
            own = Path(tempfile.mkdtemp(prefix=".container-", dir=scratch))
            weakref.finalize(self, shutil.rmtree, own, ignore_errors=True)
            contents = self._contents(own)
            write_json({"path": str(contents.path.absolute()), "members": contents.members}, own / _INDEX)
        except OSError as error:
            why = f"{error.strerror or error}"
            if error.errno in _FULL:
                why = f"no room for it in {scratch} ({why}). Make some, or unpack it elsewhere and give the folder"
            raise SourceError(f"data: can't read {self.name}: {why}") from None
        self._own = own
        return contents.listing

    def pieces(self, file_id: str) -> Generator[bytes, None, None]:
        """Yield the bytes of one file, a mebibyte at a time.

        Raises:
            DamagedFile: they aren't what the container says of them.
            OSError: they can't be read.
        """
        if self._own is None:
            self.list()
        assert self._own is not None
        path, members = _index(self._own)
        if file_id not in members:
            raise FileNotFoundError(f"no {file_id} in {self.name}")
        yield from pieces(path, Member(*members[file_id]))

    def read(self, file_id: str) -> bytes:
        """Return the bytes of one file; see `pieces`."""
        return b"".join(self.pieces(file_id))

    def _contents(self, own: Path) -> Contents:
        shards = {
            name: StoredFile(uri).on_this_machine(own / f"{number}-copy")
            for number, (name, uri) in enumerate(sorted(self.files.items()))
        }
        if len(shards) > 1:
            return read_parquet(shards, self.name, own / "images")
        [(name, path)] = shards.items()
        kind, unpacked = kind_of(path, name), own / "unpacked"
        if kind == "zip":
            return read_zip(path, name)
        if kind == "parquet":
            return read_parquet(shards, name, unpacked)
        if kind == "fer2013":
            return read_fer2013(path, name, unpacked)
        if kind == "compressed tar":
            unpack_tar(path, name, unpacked)
            return read_tar(unpacked, name)
        return read_tar(path, name)


def _remote_shards(uri: str, source: Source) -> dict[str, str]:
    """Return the Parquet files below a prefix that holds tables and no images, by their path below it."""
    files = source.list().files
    shards = [file for file in files if file.endswith(_SHARD) and file.count("/") <= _SHARD_DEPTH]
    return {} if any(map(is_named_like_an_image, files)) else {file: f"{uri.rstrip('/')}/{file}" for file in shards}


def _shards(folder: Path) -> dict[str, str]:
    """Return the Parquet files of a folder that holds tables of images, by their path below it; none of another.

    Raises:
        SourceError: it holds images in files as well, or a damaged table.
    """
    tables = [
        path
        for place, folders, names in os.walk(folder)
        for name in _seen(folder, Path(place), folders, names)
        if name.endswith(_SHARD) and _is_regular(path := Path(place, name))
    ]
    found = [path for path in tables if image_columns(path)]
    if not found:
        return {}
    if damaged := next((path for path in tables if not is_parquet(path)), None):
        raise SourceError(f"data: {damaged} isn't a whole Parquet file, as those beside it are: get it again")
    files = (name for _, _, names in os.walk(folder) for name in names)
    if image := next((name for name in files if is_named_like_an_image(name)), None):
        raise SourceError(
            f"data: {folder} holds images both in Parquet ({found[0].name}) and in files ({image}): "
            "give the Parquet file, or the folder of the files alone"
        )
    return {path.relative_to(folder).as_posix(): str(path) for path in found}


def _is_regular(path: Path) -> bool:
    """Return whether a file can be read without waiting, as for what comes through a pipe."""
    try:
        return path.is_file()
    except OSError:  # the listing of the folder has the reason
        return False


def _seen(folder: Path, place: Path, folders: list[str], names: list[str]) -> list[str]:
    """Return the names; keep the walk from what is hidden, and from going deeper than shards lie."""
    is_deep = len(place.relative_to(folder).parts) >= _SHARD_DEPTH
    folders[:] = [] if is_deep else [name for name in folders if not name.startswith(".")]
    return [name for name in names if not name.startswith(".")]


@functools.lru_cache(maxsize=2)
def _index(own: Path) -> tuple[Path, Mapping[str, list[int]]]:
    found = read_json(own / _INDEX)
    return Path(found["path"]), found["members"]
