"""The models at a push destination: `<destination>/<version>/`, on this machine or in an object store.

A model is complete where its marker is there, which is written last and read first, and the files that it lists. A
folder without a marker holds a model if it has a `saved_model.pb`: it was pushed by an earlier revision, which wrote
that file last, or by something else.
"""

import posixpath
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from components.formats.documents import Document
from components.formats.examples import LABEL_MAP
from components.formats.saved_model import ASSETS, GRAPH, METRICS
from components.formats.version import NewerFormatError
from components.tools.passwords import revealed
from components.tools.retries import with_retries

RUN = Document("run.json")
# `files`: sizes by path, of those that the model itself consists of; `digest`: of the model
MARKER = Document("complete.json")

# Of folders that are being filled, and of the claims to a version's number; no server takes them for a version.
UNFINISHED = ".push-"
CLAIMS = ".claims"
_ABANDONED = 3600.0  # seconds; copying a model takes minutes at most


@dataclass(frozen=True)
class Origin:
    """What a pushed model was made from; kept beside it as `run.json`.

    Attributes:
        recipe: digest of the options and code that decide a model.
        data_digest: of the ingested images.
        folder_digest: of the data folder's files as the runner saw them; "" where no runner looked. Behind a `+`, that
            of the files that options name, where the recipe knows them by path alone.
    """

    recipe: str
    data_digest: str
    folder_digest: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return plain values."""
        return asdict(self)

    def is_same(self, other: "Origin") -> bool:
        """Return whether recipe and data agree, the data by either digest: one folder lies in several places."""
        if self.recipe != other.recipe or _named_files(self) != _named_files(other):
            return False
        pairs = ((self.folder_digest, other.folder_digest), (self.data_digest, other.data_digest))
        return any(mine and mine == theirs for mine, theirs in pairs)

    @staticmethod
    def read(values: Any) -> "Origin | None":
        """Return an origin from JSON; None from what isn't one, such as another version's."""
        try:
            return Origin(**{name: str(value) for name, value in values.items()})
        except (AttributeError, TypeError):
            return None


@dataclass(frozen=True)
class Version:
    """A pushed model.

    Attributes:
        number: the version, a count of seconds.
        uri: its folder.
        labels: class names in the order of their ids.
        origin: what it was made from; None for a model that something else put there.
        digest: of the model (`model_digest`); "" where whoever pushed it didn't say.
    """

    number: int
    uri: str
    labels: tuple[str, ...]
    origin: Origin | None
    digest: str = ""


def _named_files(origin: Origin) -> str:
    return origin.folder_digest.partition("+")[2]


def file_system(uri: str) -> tuple[Any, str]:
    """Return the fsspec file system behind a path or URI, and the path in it."""
    import fsspec

    if "://" not in uri:  # in a path, `::` isn't what fsspec takes it for
        return fsspec.filesystem("file"), str(Path(uri).absolute())
    return fsspec.core.url_to_fs(revealed(uri))  # type: ignore[no-any-return]


def list_versions(destination: str) -> list[Version]:
    """Return complete models at a destination, the newest first; none where there is no such folder yet."""
    store, root = file_system(destination)
    versions = []
    for name in version_names(store, root):
        folder = posixpath.join(root, name)
        marker = _read(store, folder, MARKER)
        if not _is_complete(store, folder, marker):
            continue
        label_map = _read(store, folder, LABEL_MAP)
        origin = _read(store, folder, RUN)
        versions.append(
            Version(
                number=int(name),
                uri=posixpath.join(destination, name),
                labels=tuple(label_map["labels"]) if isinstance(label_map, dict) and "labels" in label_map else (),
                origin=Origin.read(origin),
                digest=str((marker or {}).get("digest", "")),
            )
        )
    return sorted(versions, key=lambda version: -version.number)


def version_names(store: Any, root: str) -> list[str]:
    """Return the names of the versions' folders below a path, complete or not, the newest first."""
    store.invalidate_cache()  # other processes push, too
    try:
        found = with_retries(lambda: store.ls(root, detail=True))
    except FileNotFoundError:
        return []
    names = [posixpath.basename(one["name"].rstrip("/")) for one in found if one["type"] != "file"]
    return sorted((name for name in names if name.isascii() and name.isdecimal()), key=int, reverse=True)


def is_complete(store: Any, folder: str) -> bool:
    """Return whether all files of the model in a folder are there, by its marker or by what stands for one."""
    return _is_complete(store, folder, _read(store, folder, MARKER))


def has_assets(version: Version, names: Collection[str]) -> bool:
    """Return whether files of these names lie in a pushed model's `assets.extra`."""
    store, folder = file_system(posixpath.join(version.uri, ASSETS))
    return set(names) <= _sizes(store, folder).keys()


def read_metrics(uri: str) -> dict[str, Any]:
    """Return a pushed model's scores by split, as it was pushed with them; empty where it says none."""
    store, folder = file_system(uri)
    return dict(_read(store, folder, Document(METRICS)) or {})


def abandoned(destination: Path) -> list[Path]:
    """Return folders of pushes that were killed: nothing has been put into them for an hour."""
    before = time.time() - _ABANDONED
    found = sorted(destination.glob(f"{UNFINISHED}*"))
    return [path for path in found if path.is_dir() and path.stat().st_mtime < before]


def candidates(versions: Sequence[Version], origin: Origin) -> list[Version]:
    """Return those pushed models that other data, options or code made.

    Without this an unchanged second run would be compared with its own model and pushed again.
    """
    return [version for version in versions if version.origin is None or not version.origin.is_same(origin)]


def new_number(versions: Sequence[Version], at_least: int) -> int:
    """Return the number of a version that is newer than those that stand."""
    return max([at_least, *(version.number + 1 for version in versions)])


def _is_complete(store: Any, folder: str, marker: Any) -> bool:
    if marker is None:
        return GRAPH in _sizes(store, folder)
    files = marker.get("files")
    if not isinstance(files, Mapping):
        return False
    parents = {posixpath.dirname(name) for name in files}
    found = {parent: _sizes(store, posixpath.join(folder, parent)) for parent in parents}
    return all(found[posixpath.dirname(name)].get(posixpath.basename(name)) == size for name, size in files.items())


def _sizes(store: Any, folder: str) -> dict[str, int | None]:
    """Return the sizes of a folder's files by name; `find` would take a lost connection for an empty folder."""
    try:
        found = with_retries(lambda: store.ls(folder.rstrip("/"), detail=True))
    except FileNotFoundError:
        return {}
    return {posixpath.basename(one["name"]): one["size"] for one in found if one["type"] == "file"}


def _read(store: Any, folder: str, document: Document) -> Any:
    path = posixpath.join(folder, ASSETS, document.name)
    try:
        return document.parse(with_retries(lambda: store.cat_file(path)), path)
    except NewerFormatError:
        raise
    except (FileNotFoundError, ValueError, AttributeError, TypeError):
        return None  # not there, or something else's
