"""Artifact files that no kept run needs. The store is written to here alone, and only to mark what was deleted."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from ml_metadata import errors
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb

from pipeline.lineage.runs import run_state, size_of
from pipeline.lineage.store import Artifact, Id, LineageStore, Run
from pipeline.lineage.tree import ancestors


class GarbageError(RuntimeError):
    """Files that can't be deleted; the message says which and why."""


@dataclass(frozen=True)
class Garbage:
    """A folder that can go.

    Attributes:
        path: the folder.
        reason: why nothing needs it.
        size: bytes below it.
        artifact: its id in the store; None for a folder that the store doesn't know.
    """

    path: Path
    reason: str
    size: int
    artifact: Id | None


def find_garbage(store: LineageStore, root: Path, keep: int, checkpoints: Path) -> list[Garbage]:
    """Folders below `root` that neither a kept run nor a pushed model that still stands needs.

    Args:
        store: where the runs are recorded.
        root: the folder of the artifacts; nothing outside it is ever listed.
        keep: how many of the newest successful runs are kept with all their artifacts.
        checkpoints: the folder of the interrupted trainings; the latest of them may still be taken up.
    """
    needed = _needed(store, keep)
    found = []
    # Known by <component>/<output>/<execution>: the folder may lie elsewhere now than when it was recorded.
    known: set[tuple[str, ...]] = set()
    for artifact in store.artifacts():
        path = Path(artifact.uri)
        known.add(path.parts[-3:])
        inside = root in path.parents
        if inside and path.exists() and artifact.id not in needed:
            found.append(Garbage(path, "no kept run needs it", size_of(artifact.uri) or 0, artifact.id))
    # What a killed run left behind is not in the store.
    for path in sorted(root.glob("*/*/*")):
        if path.is_dir() and path.parts[-3:] not in known and ".system" not in path.parts:
            found += [Garbage(path, "not in the store", size_of(str(path)) or 0, None)]
    for path in sorted(root.glob("*/.system/stateful_working_dir/*")):
        found += [Garbage(path, "left by a run that was killed", size_of(str(path)) or 0, None)]
    interrupted = sorted((path for path in checkpoints.glob("*") if path.is_dir()), key=_last_change)
    found += [
        Garbage(path, "of a training that was given up", size_of(str(path)) or 0, None) for path in interrupted[:-1]
    ]
    return found


def delete(garbage: list[Garbage], database: Path) -> None:
    """Delete the folders and mark their artifacts deleted; interrupted, it can be run again.

    Raises:
        GarbageError: somebody else's files, which can't be deleted; looked for before any is.
    """
    for one in garbage:
        if not os.access(one.path.parent, os.W_OK) or not os.access(one.path, os.W_OK):
            raise GarbageError(f"can't delete {one.path}: Permission denied. Nothing was deleted")
    ids = [one.artifact for one in garbage if one.artifact is not None]
    if ids:
        _mark_deleted(ids, database)
    for one in garbage:
        try:
            shutil.rmtree(one.path)
        except FileNotFoundError:
            continue  # gone in the meantime
        except OSError as error:
            raise GarbageError(f"can't delete {error.filename}: {error.strerror}. Give the command again") from None


def _mark_deleted(ids: list[Id], database: Path) -> None:
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(database)
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READWRITE
    try:
        store = metadata_store.MetadataStore(config)
        artifacts = store.get_artifacts_by_id(ids)
        for artifact in artifacts:
            artifact.state = pb.Artifact.DELETED
        store.put_artifacts(artifacts)
    except errors.StatusError as error:
        reason = " ".join(str(error).split())
        raise GarbageError(f"can't write to {database}: {reason[:200]}. Nothing was deleted") from None


def _last_change(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))


def _needed(store: LineageStore, keep: int) -> set[Id]:
    """Ids of the artifacts of kept runs, and of what every live pushed model was made from."""
    needed: set[Id] = set()
    kept = 0
    for run in store.runs():
        if kept == keep:
            break
        if _succeeded(store, run):
            kept += 1
            needed.update(artifact.id for artifact in store.artifacts_of(run))
    live = [artifact.id for artifact in store.artifacts() if _is_live_push(artifact)]
    # A cached run's artifacts may have been made by an earlier one: what they came from is needed as well.
    return ancestors(store, needed | set(live)) if needed or live else set()


def _succeeded(store: LineageStore, run: Run) -> bool:
    return run_state(run, False, store.executions_of(run)) == "succeeded"


def _is_live_push(artifact: Artifact) -> bool:
    """Return whether the artifact is a push whose model still stands at its destination."""
    destination = artifact.properties.get("pushed_destination")
    if artifact.type != "PushedModel" or not destination:
        return False
    # A destination in an object store can't be looked at from here cheaply: it counts as standing.
    return "://" in str(destination) or Path(str(destination)).exists()
