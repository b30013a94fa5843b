"""Put a model where a server finds it: whole, or not at all."""

import posixpath
import shutil
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from components.formats.pushed_models import RUN, Origin, file_system
from components.formats.saved_model import ASSETS, GRAPH
from components.tools.files import write_json
from components.tools.retries import with_retries


def push(
    model: Path, destination: str, version: int, origin: Origin, documents: Mapping[str, Any], files: Mapping[str, Path]
) -> str:
    """Copy a SavedModel to `<destination>/<version>/`.

    On this machine the folder is filled under another name and then renamed; in an object store `saved_model.pb`, by
    which servers know a complete model, is written last.

    Args:
        model: the SavedModel's folder.
        destination: folder, or an object store's prefix.
        version: a number that isn't taken.
        origin: what the model was made from.
        documents: JSON values for `assets.extra`, by file name.
        files: files to copy into `assets.extra`, by file name.

    Returns:
        The pushed model's path or URI.
    """
    target = posixpath.join(destination, str(version))
    if "://" not in destination:
        Path(destination).mkdir(parents=True, exist_ok=True)
        temporary = Path(destination) / f".{version}.tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        _assemble(model, temporary, origin, documents, files)
        temporary.rename(target)
        return target
    store, path = file_system(target)
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder) / "model"
        _assemble(model, local, origin, documents, files)
        everything = sorted(file for file in local.rglob("*") if file.is_file())
        for file in sorted(everything, key=lambda file: file.name == GRAPH):
            remote = posixpath.join(path, file.relative_to(local).as_posix())
            with_retries(partial(store.put_file, str(file), remote))
    return target


def _assemble(
    model: Path, folder: Path, origin: Origin, documents: Mapping[str, Any], files: Mapping[str, Path]
) -> None:
    shutil.copytree(model, folder)
    assets = folder / ASSETS
    assets.mkdir(exist_ok=True)
    for name, file in files.items():
        shutil.copyfile(file, assets / name)
    for name, value in documents.items():
        write_json(value, assets / name)
    RUN.write(origin.as_dict(), assets)
