"""Files of a workdir that no kept run needs. The store is written to here alone, and only to mark what was deleted."""

import logging
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ml_metadata import errors
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb

from components.formats.pushed_models import abandoned
from pipeline.lineage.runs import run_state, size_of
from pipeline.lineage.store import Artifact, Id, LineageStore, Run
from pipeline.lineage.tree import ancestors

# How SQLite says it.
_FULL = "disk is full"
# Threads that delete, since each file waits for the disk, and what one takes at a time; more are in each other's way.
_AT_ONCE, _PATHS = 4, 100


class GarbageError(RuntimeError):
    """Files that can't be deleted; the message says which and why."""


class _FullError(GarbageError):
    """The database can't grow: on a full disk, marking comes after deleting."""


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


@dataclass(frozen=True)
class Places:
    """The folders of a workdir in which something may be left over.

    Attributes:
        artifacts: nothing outside the places that are named here is ever listed.
        checkpoints: of the interrupted trainings; the latest of them may still be taken up.
        temporary: of a run that goes on; there is none, since the workdir is locked.
        serving_model: of pushed models; one that is being filled may be somebody else's.
    """

    artifacts: Path
    checkpoints: Path
    temporary: Path
    serving_model: Path


def find_garbage(store: LineageStore, places: Places, keep: int) -> list[Garbage]:
    """Return what neither a kept run nor a pushed model that still stands needs.

    Args:
        store: where the runs are recorded.
        places: the folders that are looked into.
        keep: how many of the newest successful runs are kept with all their artifacts.
    """
    root = places.artifacts
    artifacts = store.artifacts()
    needed = _needed(store, artifacts, keep)
    found = []
    # Known by <component>/<output>/<execution>: the folder may lie elsewhere now than when it was recorded.
    known: set[tuple[str, ...]] = set()
    for artifact in artifacts:
        path = Path(artifact.uri)
        known.add(path.parts[-3:])
        if root not in path.parents or artifact.id in needed:
            continue
        if path.exists():
            found.append(Garbage(path, "no kept run needs it", size_of(artifact.uri) or 0, artifact.id))
        elif artifact.state == "LIVE":  # as a deletion leaves it that was killed before it marked anything
            found.append(Garbage(path, "its files are gone", 0, artifact.id))
    # What a killed run left behind is not in the store.
    for path in sorted(root.glob("*/*/*")):
        if path.is_dir() and path.parts[-3:] not in known and ".system" not in path.parts:
            found += [Garbage(path, "not in the store", size_of(str(path)) or 0, None)]
    working = [*sorted(root.glob("*/.system/stateful_working_dir/*")), *sorted(places.temporary.glob("*"))]
    found += [Garbage(path, "left by a run that was killed", size_of(str(path)) or 0, None) for path in working]
    pushes = abandoned(places.serving_model)
    found += [Garbage(path, "left by a push that was killed", size_of(str(path)) or 0, None) for path in pushes]
    interrupted = sorted((path for path in places.checkpoints.glob("*") if path.is_dir()), key=_last_change)
    found += [
        Garbage(path, "of a training that was given up", size_of(str(path)) or 0, None) for path in interrupted[:-1]
    ]
    return found


def delete(garbage: list[Garbage], database: Path) -> None:
    """Delete what was found and mark the artifacts deleted; interrupted, it can be run again.

    What the store doesn't know goes first: that may make the room which the store needs to be written to. Artifacts are
    marked before their files go, or a run that comes between the two would take them from the cache. Only where there
    is no room for that even now, files go first.

    Raises:
        GarbageError: somebody else's files, which can't be deleted; looked for before any is.
    """
    closed = {folder for folder in {one.path.parent for one in garbage} if not os.access(folder, os.W_OK)}
    for one in garbage:
        if one.path.exists() and (one.path.parent in closed or not os.access(one.path, os.W_OK)):
            raise GarbageError(f"can't delete {one.path}: Permission denied. Nothing was deleted")
    if not os.access(database, os.W_OK):
        raise GarbageError(f"can't write to {database}: Permission denied. Nothing was deleted")
    known = [one for one in garbage if one.artifact is not None]
    _remove([one.path for one in garbage if one.artifact is None])
    ids = [one.artifact for one in known if one.artifact is not None]
    try:
        _mark_deleted(ids, database)
    except _FullError:
        _remove([one.path for one in known])
        try:
            _mark_deleted(ids, database)
        except _FullError as error:
            raise GarbageError(f"{error}: the files were deleted. Make room, and give the command again") from None
    else:
        _remove([one.path for one in known])


def _remove(paths: list[Path]) -> None:
    some = [paths[start : start + _PATHS] for start in range(0, len(paths), _PATHS)]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="delete") as pool:
        for error in pool.map(_remove_some, some):
            if error is not None:
                raise GarbageError(f"can't delete {error.filename}: {error.strerror}. Give the command again")


def _remove_some(paths: list[Path]) -> OSError | None:
    """Delete all that can be, and return what was in the way of the first that can't."""
    found = [error for path in paths if (error := _remove_one(path)) is not None]
    return found[0] if found else None


def _remove_one(path: Path) -> OSError | None:
    try:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    except FileNotFoundError:
        return None  # gone in the meantime
    except OSError as error:
        return error
    return None


def _mark_deleted(ids: list[Id], database: Path) -> None:
    if not ids:
        return
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(database)
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READWRITE
    logging.getLogger("absl").setLevel(logging.ERROR)  # ML Metadata warns of what is raised as well
    try:
        store = metadata_store.MetadataStore(config)
        deleted = [pb.Artifact(id=one, state=pb.Artifact.DELETED) for one in ids if isinstance(one, int)]
        store.put_artifacts(deleted, field_mask_paths=["state"])
    except errors.StatusError as error:
        reason = " ".join(str(error).split())
        if _FULL in reason:
            raise _FullError(f"no space is left to write to {database}") from None
        raise GarbageError(f"can't write to {database}: {reason[:200]}. Give the command again") from None


def _last_change(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))


def _needed(store: LineageStore, artifacts: Sequence[Artifact], keep: int) -> set[Id]:
    """Ids of the artifacts of kept runs, and of what every live pushed model was made from."""
    needed: set[Id] = set()
    kept = 0
    for run in store.runs():
        if kept == keep:
            break
        if _succeeded(store, run):
            kept += 1
            needed.update(artifact.id for artifact in store.artifacts_of(run))
    live = [artifact.id for artifact in artifacts if _is_live_push(artifact)]
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
