"""Are the files of an artifact still those that were made? By digests, which the run that made them records."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.lineage.store import Artifact

FILES = "files"  # the property of an artifact: {path below its folder: digest} as JSON
_BLOCK = 1 << 20


def record_of(uri: str) -> str | None:
    """Return the digests of an artifact's files as JSON; None where they don't lie on this machine.

    SHA-256, which processors compute at 2 GB/s.
    """
    folder = Path(uri)
    if "://" in uri or not folder.is_dir():
        return None
    return json.dumps({name: _digest(folder / name) for name in _names(folder)}, sort_keys=True)


def damage_of(uri: str, properties: dict[str, Any]) -> str | None:
    """Return what is missing or was changed below an artifact's folder; None if nothing, or nobody knows.

    Files that came later are no damage: tools that look at a folder leave some.
    """
    recorded: dict[str, str] = json.loads(properties.get(FILES) or "{}")
    for name, digest in recorded.items():
        file = Path(uri, name)
        if not file.is_file():
            return f"{file} is missing"
        if _digest(file) != digest:
            return f"{file} was changed"
    return None


def verify_rows(artifacts: Sequence[Artifact]) -> list[dict[str, Any]]:
    """Return whether each artifact is whole, damaged, deleted, or unknown: elsewhere, or made by an older program."""
    rows = []
    for artifact in artifacts:
        damage = None
        if artifact.state != "LIVE":
            state = "deleted"
        elif FILES not in artifact.properties:
            state = "unknown"
        else:
            damage = damage_of(artifact.uri, artifact.properties)
            state = "damaged" if damage else "whole"
        what = {"id": f"artifact:{artifact.id}", "type": artifact.type, "uri": artifact.uri}
        rows.append({**what, "state": state, "what": damage})
    return rows


def _names(folder: Path) -> Iterator[str]:
    return (str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file())


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
