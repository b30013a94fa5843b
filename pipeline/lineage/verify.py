"""`inspect verify`: the files of artifacts, here or in an object store, against the digests that were recorded."""

import os
from collections.abc import Sequence
from typing import IO, Any, cast

from components.formats.pushed_models import file_system
from components.tools.retries import reason, with_retries
from pipeline.lineage.files import FILES, damage_of
from pipeline.lineage.store import Artifact

# As Kubeflow names the store that it comes with, and the variable that says where that is for others.
_MINIO = "minio://"
_ENDPOINT = "AWS_ENDPOINT_URL"


def verify_rows(artifacts: Sequence[Artifact]) -> list[dict[str, Any]]:
    """Return whether each artifact is whole, damaged, deleted, or unknown, and why.

    Unknown are those that an older program made, and those in a store that can't be read from here.
    """
    rows = []
    for artifact in artifacts:
        state, what = _judged(artifact)
        about = {"id": f"artifact:{artifact.id}", "type": artifact.type, "uri": artifact.uri}
        rows.append({**about, "state": state, "what": what})
    return rows


def _judged(artifact: Artifact) -> tuple[str, str | None]:
    if artifact.state != "LIVE":
        return "deleted", None
    if FILES not in artifact.properties:
        return "unknown", None
    try:
        damage = damage_of(artifact.uri, artifact.properties, *([_open_stored] if "://" in artifact.uri else []))
    except (OSError, ValueError, ImportError) as error:  # no keys, no way to it, no driver
        return "unknown", reason(error)
    return ("damaged", damage) if damage else ("whole", None)


def _open_stored(uri: str) -> IO[bytes]:
    if uri.startswith(_MINIO):
        if not os.environ.get(_ENDPOINT):
            raise ValueError(f"set {_ENDPOINT} and its keys to where the installation's store is reached from here")
        uri = f"s3://{uri.removeprefix(_MINIO)}"
    store, path = file_system(uri)
    return cast("IO[bytes]", with_retries(lambda: store.open(path, "rb")))
