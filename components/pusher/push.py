"""Put a model where a server finds it: whole, or not at all, and never into another's folder."""

import posixpath
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from components.formats.pushed_models import MARKER, RUN, UNFINISHED, Origin, abandoned, file_system
from components.formats.saved_model import ASSETS, GRAPH, model_digest
from components.pusher.claim import claimed
from components.tools.files import write_json
from components.tools.retries import with_retries


def push(
    model: Path, destination: str, version: int, origin: Origin, documents: Mapping[str, Any], files: Mapping[str, Path]
) -> tuple[str, int]:
    """Copy a SavedModel to `<destination>/<version>/`, or under the next number that nobody else takes meanwhile.

    On this machine the folder is filled under a name of its own and then renamed, which fails where there is one. In an
    object store the number is claimed first, and the marker of a complete model is written last; just before it
    `saved_model.pb`, by which servers know one.

    Args:
        model: the SavedModel's folder.
        destination: folder, or an object store's prefix.
        version: the number to begin with.
        origin: what the model was made from.
        documents: JSON values for `assets.extra`, by file name.
        files: files to copy into `assets.extra`, by file name.

    Returns:
        The pushed model's path or URI, and its version.
    """
    assemble = partial(_assemble, model, origin=origin, documents=documents, files=files)
    if "://" in destination:
        return _upload(assemble, destination, version)
    place = Path(destination)
    place.mkdir(parents=True, exist_ok=True)
    for killed in abandoned(place):
        shutil.rmtree(killed, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=place) as temporary:
        whole = Path(temporary) / "model"
        assemble(whole)
        version = _rename(whole, place, version)
    return posixpath.join(destination, str(version)), version


def _rename(whole: Path, place: Path, version: int) -> int:
    """Give a folder the first free number from `version` on; to look first would leave a moment in between."""
    while True:
        try:
            whole.rename(place / str(version))
        except OSError:
            if not (place / str(version)).exists():
                raise
            version += 1
        else:
            return version


def _upload(assemble: Callable[[Path], None], destination: str, version: int) -> tuple[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "model"
        assemble(whole)
        everything = sorted(file for file in whole.rglob("*") if file.is_file())
        everything.sort(key=lambda file: (file.name == MARKER.name, file.name == GRAPH))
        with claimed(destination, version) as number:
            target = posixpath.join(destination, str(number))
            store, path = file_system(target)
            try:
                for file in everything:
                    remote = posixpath.join(path, file.relative_to(whole).as_posix())
                    with_retries(partial(store.put_file, str(file), remote))
            except BaseException:
                with suppress(Exception):  # what stays is no model, and costs a number
                    store.rm(path, recursive=True)
                raise
    return target, number


def _assemble(
    model: Path, folder: Path, *, origin: Origin, documents: Mapping[str, Any], files: Mapping[str, Path]
) -> None:
    shutil.copytree(model, folder)
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    assets = folder / ASSETS
    assets.mkdir(exist_ok=True)
    for name, file in files.items():
        shutil.copyfile(file, assets / name)
    for name, value in documents.items():
        write_json(value, assets / name)
    RUN.write(origin.as_dict(), assets)
    own = {name: size for name, size in sizes.items() if not name.startswith(f"{ASSETS}/")}
    MARKER.write({"files": own, "digest": model_digest(folder)}, assets)
