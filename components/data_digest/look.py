"""What can have changed outside since the last run: the data folder, the files that options name, the pushed models."""

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path

from components.formats.pushed_models import Origin, Version, candidates, file_system, list_versions, new_number
from components.images.folder_digest import quick_digest
from components.images.pieces import stored_pieces
from components.tools.files import content_digest
from components.tools.retries import reason, with_retries


class LookError(RuntimeError):
    """Something that can't be read; the message says what."""


def data_digest(uri: str, files: Sequence[str], follow_links: bool = False) -> str:
    """Return a digest of all that a data set and a training are made from, there within seconds; see `with_files`.

    Args:
        uri: the data folder (see `quick_digest`).
        files: paths and URIs that options name; read in full.
        follow_links: whether links that lead out of the data folder are followed.

    Raises:
        SourceError: there is no such data folder, or it can't be listed.
        LookError: there is no such file.
    """
    return with_files(quick_digest(uri, follow_links=follow_links), files)


def with_files(folder: str, files: Sequence[str]) -> str:
    """Return a data folder's digest, and behind a `+` that of the files, if there are any; see `Origin`.

    Args:
        folder: its digest.
        files: paths and URIs; read in full.

    Raises:
        LookError: there is no such file.
    """
    if not files:
        return folder
    return f"{folder}+{hashlib.sha256(json.dumps([_file_digest(file) for file in files]).encode()).hexdigest()}"


def standing(destination: str) -> list[Version]:
    """Return the models at a push destination, the newest first.

    Raises:
        LookError: it can't be read.
    """
    try:
        return list_versions(destination)
    except (OSError, ValueError, ImportError) as error:
        raise LookError(f"push_destination: can't read {destination}: {reason(error)}") from None


def to_beat(versions: Sequence[Version], origin: Origin) -> str:
    """Return the numbers of the models that a new one of this origin may be compared with: another list, another run.

    Args:
        versions: what stands, the newest first.
        origin: of the new model.
    """
    return ",".join(str(version.number) for version in candidates(versions, origin))


def number_to_push(versions: Sequence[Version], origin: Origin) -> str:
    """Return the number that a model of this origin has where it stands, or else one that is free.

    So pushing it is the same execution as before as long as what was pushed is still there.

    Args:
        versions: what stands, the newest first.
        origin: of the new model.
    """
    others = candidates(versions, origin)
    own = next((version.number for version in versions if version not in others), None)
    return str(own if own is not None else new_number(versions, int(time.time())))


def _file_digest(uri: str) -> str:
    if "://" not in uri:
        if not Path(uri).exists():
            raise LookError(f"no such file: {uri}, which an option names")
        return content_digest(uri)
    try:
        store, path = file_system(uri)
        digest = hashlib.sha256()
        for piece in stored_pieces(store, path, with_retries(lambda: store.size(path)) or 0):
            digest.update(piece)
        return digest.hexdigest()
    except (OSError, ValueError, ImportError) as error:
        raise LookError(f"can't read {uri}, which an option names: {reason(error)}") from None
