"""Change a folder all at once, or not at all: what is new is made in a hidden place beside it, then moved in.

`.datasplit/` in the folder that is written holds

    lock          locked as long as somebody works on it
    options.json  what was asked for, written before anything else
    stage-…/      the new tree; each attempt has one of its own, so a killed attempt's last worker does no harm
    commit.json   which stage is complete: from here on a rerun only moves what hasn't been moved yet

Moving is renaming within one file system: no image is ever half-written, doubled or lost, whenever the process dies.
Before `commit.json` nothing outside `.datasplit/` has changed, so giving up means deleting it.
"""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

_NAME = ".datasplit"


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
            WorkspaceError: somebody else has it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = (self.path / "lock").open("w")
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
        return self._read("options.json")

    def committed(self) -> dict[str, Any] | None:
        """Return what `commit` was given, if the interrupted attempt had got that far."""
        return self._read("commit.json")

    def record(self, options: dict[str, Any]) -> None:
        """Write down what is asked for."""
        self._write("options.json", options)

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
        self._write("commit.json", {"stage": stage.name, "note": note})

    def commit(self) -> None:
        """Move the sealed stage into place, or what is left of it, and delete the workspace.

        Raises:
            WorkspaceError: a file is in the way or has vanished, which only somebody else can have caused.
        """
        sealed = self._read("commit.json")
        if sealed is None:
            raise WorkspaceError(f"nothing is sealed in {self.path}")
        stage = self.path / sealed["stage"]
        for name in ("train", "test"):
            if (stage / name).is_dir():
                _merge(stage / name, self.target / name)
        moves = stage / "moves"
        if moves.is_file():
            for path in moves.read_bytes().split(b"\0")[:-1]:
                self._move(os.fsdecode(path))
        for name in ("train.csv", "test.csv"):
            if (stage / name).is_file():
                (stage / name).replace(self.target / name)
        self.discard()

    def discard(self) -> None:
        """Delete the workspace; `commit.json` last, so that a rerun never takes a finished folder for a fresh one."""
        for old in self.path.glob("stage-*"):
            shutil.rmtree(old)
        for name in ("options.json.tmp", "options.json", "commit.json.tmp", "lock", "commit.json"):
            (self.path / name).unlink(missing_ok=True)
        self.path.rmdir()

    def _move(self, path: str) -> None:
        source, destination = self.target / "train" / path, self.target / "test" / path
        if os.path.lexists(source):
            if os.path.lexists(destination):
                raise WorkspaceError(f"{destination} is in the way of {source}; move one of them and run again")
            source.rename(destination)
        elif not os.path.lexists(destination):
            raise WorkspaceError(f"{source} has vanished in the meantime")

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            return json.loads((self.path / name).read_text("ascii"))
        except FileNotFoundError:
            return None

    def _write(self, name: str, value: dict[str, Any]) -> None:
        temporary = self.path / f"{name}.tmp"
        with temporary.open("w", encoding="ascii") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path / name)


def _merge(source: Path, destination: Path) -> None:
    """Move a tree into another one: whole folders where there is none yet, else file by file."""
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
