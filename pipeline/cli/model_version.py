"""Which model `--model` means: a SavedModel's folder, or the newest whole version of those in a folder."""

import posixpath
from pathlib import Path

import click

from components.formats.pushed_models import file_system, is_complete, list_versions, version_names
from components.formats.saved_model import GRAPH, is_saved_model, serving_folder

_AGAIN = "copy it again, or push once more"


def find_version(place: str) -> str:
    """Return the folder or URI of a SavedModel.

    Newer versions that aren't whole, such as one that is being copied, are passed over and named on stderr.

    Args:
        place: folder or URI of the model, of its versions, or of a Model artifact.

    Raises:
        UsageError: there is none, or none that is whole.
    """
    store, root = file_system(place)
    if is_saved_model(place) or ("://" in place and store.exists(posixpath.join(root, GRAPH))):
        if not is_complete(store, root):
            raise click.UsageError(f"--model: files are missing or cut off in {place}: {_AGAIN}")
        return place
    names = version_names(store, root)
    if versions := list_versions(place):
        if newer := [name for name in names if int(name) > versions[0].number]:
            click.echo(f"Version {versions[0].number} answers: {', '.join(newer)} of {place} isn't whole.", err=True)
        return versions[0].uri
    if "://" not in place and is_saved_model(serving_folder(place)):
        return str(serving_folder(place))
    if names:
        raise click.UsageError(f"--model: no version is whole in {place}. Received: {', '.join(names)}: {_AGAIN}")
    if "://" not in place and not Path(place).exists():
        raise click.UsageError(f"--model: there is no such folder. Received: {place}")
    raise click.UsageError(f"--model must be the folder of a SavedModel, or of its versions. Received: {place}")
