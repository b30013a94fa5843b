"""Which model `--model` means: a SavedModel's folder, or the newest whole version of those in a folder."""

import posixpath
from pathlib import Path
from typing import Any

import click

from components.formats.pushed_models import file_system, is_complete, list_versions, version_names
from components.formats.saved_model import GRAPH, SERVING
from components.tools.printable import printable
from components.tools.retries import reason, with_retries
from components.tools.schemes import why_no_store

_AGAIN = "copy it again, or push once more"


def find_folder(place: str) -> Path:
    """Return the folder of a SavedModel on this machine; see `find_version`.

    Raises:
        UsageError: there is none, or none that is whole.
    """
    if "://" in place:
        raise click.UsageError(
            "--model must be a folder on this machine: copy the model here; `predict --output` alone takes one in an "
            f"object store. Received: {place}"
        )
    return Path(find_version(place))


def find_version(place: str) -> str:
    """Return the folder or URI of a SavedModel.

    Newer versions that aren't whole, such as one that is being copied, are passed over and named on stderr.

    Args:
        place: folder or URI of the model, of its versions, or of a Model artifact.

    Raises:
        UsageError: there is none, or none that is whole, or its store can't be reached.
    """
    if problem := why_no_store(place):
        raise click.UsageError(f"--model {place}: {problem}")
    try:
        return _found(place)
    except PermissionError:  # said for all commands alike
        raise
    except OSError as error:
        raise click.UsageError(f"--model: {place} can't be read: {reason(error)}") from None


def _found(place: str) -> str:
    store, root = file_system(place)
    if _is_model(store, root):
        if not is_complete(store, root):
            raise click.UsageError(f"--model: files are missing or cut off in {place}: {_AGAIN}")
        return place
    names = version_names(store, root)
    if versions := list_versions(place):
        if newer := [name for name in names if int(name) > versions[0].number]:
            passed_over = f"{', '.join(newer)} of {place} {'is' if len(newer) == 1 else 'are'}n't whole"
            click.echo(printable(f"Version {versions[0].number} answers: {passed_over}."), err=True)
        return versions[0].uri
    if _is_model(store, posixpath.join(root, SERVING)):
        return posixpath.join(place, SERVING)
    if names:
        raise click.UsageError(f"--model: no version is whole in {place}. Received: {', '.join(names)}: {_AGAIN}")
    if "://" not in place and not Path(place).exists():
        raise click.UsageError(f"--model: there is no such folder. Received: {place}")
    raise click.UsageError(f"--model must be the folder of a SavedModel, or of its versions. Received: {place}")


def _is_model(store: Any, folder: str) -> bool:
    return bool(with_retries(lambda: store.exists(posixpath.join(folder, GRAPH))))
