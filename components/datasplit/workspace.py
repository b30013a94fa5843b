"""Change a folder all at once, or not at all: what is new is made in a hidden place beside it, then moved in.

`.datasplit/` in the folder that is written holds

    lock          locked as long as somebody works on it
    options.json  what was asked for, written before anything else
    stage-…/      the new tree; each attempt has one of its own, so a killed attempt's last worker does no harm
    commit.json   which stage is complete: from here on a rerun only moves what hasn't been moved yet

Moving is renaming within one file system: no image is ever half-written, doubled or lost, whenever the process dies.
Before `commit.json` nothing outside `.datasplit/` has changed, so giving up means deleting it.

A data set that came from elsewhere may bring a `.datasplit/` along, so no link in it is followed, and what it names is
moved only from and to real folders of the data set.
"""

import errno
import fcntl
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Any

from components.images.split_tables import LINEAGE, SPLIT_TABLES
from components.tools.printable import printable

_NAME = ".datasplit"
OPTIONS = "options.json"
COMMIT = "commit.json"
# What opening says of a link, of a folder, of a pipe that nobody reads.
_NOT_A_FILE = {errno.ELOOP: "a link", errno.EISDIR: "a folder", errno.ENXIO: "not a regular file"}
TABLES = (LINEAGE, *SPLIT_TABLES)


class WorkspaceError(RuntimeError):
    """A folder can't be worked on; the message says why."""


class Workspace:
    """The hidden place in one folder, locked while it is open."""

    def __init__(self, target: Path) -> None:
        """Nothing is made or locked yet.

        Args:
            target: the folder that is to be changed.
        """
        self.target = target
        self.path = target / _NAME
        self._lock: Any = None

    def __enter__(self) -> "Workspace":
        """Make and lock it.

        Raises:
            WorkspaceError: somebody else has it, or it is a link.
        """
        if self.path.is_symlink():
            raise WorkspaceError(f"{self.path} is a link, and datasplit makes none: delete it")
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = self._open("lock")
        try:
            # Of this process alone: a forked or orphaned worker doesn't keep it.
            fcntl.lockf(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise WorkspaceError(f"another datasplit is working on {self.target}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lock.close()

    def recorded(self) -> dict[str, Any] | None:
        """Return the options of the interrupted attempt; None if it hadn't got as far as writing them."""
        return self._read(OPTIONS)

    def committed(self) -> dict[str, Any] | None:
        """Return what `seal` was given as a note, if the interrupted attempt had got that far."""
        return None if (sealed := self._sealed()) is None else sealed[1]

    def not_ours(self, name: str, what: str) -> WorkspaceError:
        """Return the error that says what is wrong with a record."""
        remedy = f"Delete {self.path} unless a datasplit of yours was interrupted here"
        return WorkspaceError(f"{self.path / name} is not what datasplit records ({printable(what)}). {remedy}")

    def record(self, options: dict[str, Any]) -> None:
        """Write down what is asked for."""
        self._write(OPTIONS, options)

    def new_stage(self) -> Path:
        """Make an empty folder for the new tree, and delete those of earlier attempts."""
        for old in self.path.glob("stage-*"):
            shutil.rmtree(old, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix="stage-", dir=self.path))

    def seal(self, stage: Path, moves: Iterable[str], note: dict[str, Any]) -> None:
        """Declare a stage complete.

        Args:
            stage: from `new_stage`.
            moves: paths below `train` in the target that are to move to the same place below `test`.
            note: to be found again by `committed`.
        """
        with (stage / "moves").open("wb") as file:
            for path in moves:
                file.write(os.fsencode(path) + b"\0")
        self._write(COMMIT, {"stage": stage.name, "note": note})

    def began(self) -> int:
        """Return when the attempt began that was sealed, by the clock of the file system, in nanoseconds."""
        return (self.path / OPTIONS).stat().st_mtime_ns

    def stage(self) -> Path | None:
        """Return the sealed stage; None if there is none, or none any more."""
        sealed = self._sealed()
        return sealed[0] if sealed is not None and sealed[0].is_dir() else None

    def commit(self, settle: Callable[[Path], object] | None = None) -> None:
        """Move the sealed stage into place, or what is left of it, and delete the workspace.

        What is to move and isn't there any more is left out.

        Args:
            settle: called with the stage when all but the tables has been moved.

        Raises:
            WorkspaceError: a file is in the way, which only somebody else can have caused.
        """
        sealed = self._sealed()
        if sealed is None:
            raise WorkspaceError(f"nothing is sealed in {self.path}")
        stage, _ = sealed
        moves = stage / "moves"
        paths = [os.fsdecode(path) for path in moves.read_bytes().split(b"\0")[:-1]] if moves.is_file() else []
        self._check(stage, paths)
        for name in ("train", "test"):
            if (stage / name).is_dir():
                _merge(stage / name, self.target / name)
        for path in paths:
            self._move(path)
        if settle is not None and stage.is_dir():
            settle(stage)
        for name in TABLES:
            if (stage / name).is_file():
                (stage / name).replace(self.target / name)
        self.discard()

    def discard(self) -> None:
        """Delete the workspace; `commit.json` last, so that a rerun never takes a finished folder for a fresh one."""
        for old in self.path.glob("stage-*"):
            shutil.rmtree(old)
        for name in (f"{OPTIONS}.tmp", OPTIONS, f"{COMMIT}.tmp", "lock", COMMIT):
            (self.path / name).unlink(missing_ok=True)
        self.path.rmdir()

    def _check(self, stage: Path, moves: Iterable[str]) -> None:
        """Refuse what would move anything from or to another folder than the target, before anything is moved.

        Raises:
            WorkspaceError: there is a link in the stage, a path leads out of `train`, or through a link.
        """
        for folder, folders, files in os.walk(stage):
            for inside in (Path(folder, name) for name in (*folders, *files)):
                if inside.is_symlink():
                    raise self.not_ours(str(inside.relative_to(self.path)), "a link")
        parents: set[PurePosixPath] = set()
        for path in moves:
            if leads_out(path):
                raise self.not_ours("moves", f"{path} leads out of train")
            parents.update(PurePosixPath(path).parents)
        for parent in sorted(parents):
            for split in ("train", "test"):
                if (self.target / split / parent).is_symlink():
                    raise WorkspaceError(_a_link(self.target / split / parent))

    def _move(self, path: str) -> None:
        source, destination = self.target / "train" / path, self.target / "test" / path
        if os.path.lexists(source):
            if os.path.lexists(destination):
                raise WorkspaceError(f"{destination} is in the way of {source}; move one of them and run again")
            destination.parent.mkdir(parents=True, exist_ok=True)
            source.rename(destination)

    def _sealed(self) -> tuple[Path, dict[str, Any]] | None:
        """Return the stage that is complete, and the note; None if there is none.

        Raises:
            WorkspaceError: what is recorded isn't the name of a stage here.
        """
        values = self._read(COMMIT)
        if values is None:
            return None
        name, note = values.get("stage"), values.get("note")
        if not isinstance(note, dict):
            raise self.not_ours(COMMIT, "it has no note")
        if not isinstance(name, str) or not name.startswith("stage-") or "/" in name or "\0" in name:
            raise self.not_ours(COMMIT, f"no stage is called {name!r}"[:100])
        # It is the last but one thing that is deleted, when all has been moved.
        done = not os.path.lexists(self.path / name) and all((self.target / table).exists() for table in SPLIT_TABLES)
        if not done and (not (self.path / name).is_dir() or (self.path / name).is_symlink()):
            raise self.not_ours(COMMIT, f"there is no folder {name}"[:100])
        return self.path / name, note

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            with self._open(name, os.O_RDONLY) as file:
                values = json.load(file)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, RecursionError) as error:
            raise self.not_ours(name, str(error)) from None
        if not isinstance(values, dict):
            raise self.not_ours(name, f"it holds a {type(values).__name__}")
        return values

    def _write(self, name: str, value: dict[str, Any]) -> None:
        with self._open(f"{name}.tmp") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(file.fileno())
        (self.path / f"{name}.tmp").replace(self.path / name)

    def _open(self, name: str, flags: int = os.O_WRONLY | os.O_CREAT | os.O_TRUNC) -> IO[str]:
        try:
            descriptor = os.open(self.path / name, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        except OSError as error:
            if error.errno in _NOT_A_FILE:
                raise self.not_ours(name, _NOT_A_FILE[error.errno]) from None
            raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise self.not_ours(name, "not a regular file")
        return os.fdopen(descriptor, "w" if flags & os.O_WRONLY else "r", encoding="ascii")


def leads_out(path: str) -> bool:
    """Return whether a path that is recorded as one below a folder leads elsewhere, or may."""
    return path.startswith("/") or bool({"", ".", ".."} & set(path.split("/")))


def _a_link(path: Path) -> str:
    return f"{path} is a link, and links aren't followed: put the folder itself in its place"


def _merge(source: Path, destination: Path) -> None:
    """Move a tree into another one: whole folders where there is none yet, else file by file.

    Raises:
        WorkspaceError: a file is there already, or a link where a folder should be.
    """
    if destination.is_symlink():
        raise WorkspaceError(_a_link(destination))
    if not destination.exists() or not any(destination.iterdir()):
        source.rename(destination)
        return
    with os.scandir(source) as entries:
        for entry in list(entries):
            target = destination / entry.name
            if entry.is_dir(follow_symlinks=False):
                _merge(Path(entry.path), target)
            elif os.path.lexists(target):
                raise WorkspaceError(f"{target} is in the way of a new file; move it and run again")
            else:
                Path(entry.path).rename(target)
    source.rmdir()
