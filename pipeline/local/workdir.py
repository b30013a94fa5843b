"""The folder of a local pipeline: where everything lies in it, and the lock that keeps a second run out."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from components.formats.documents import REPORT
from components.images.left_out import WORKDIR_MARKER

_ATTEMPTS = 10


class WorkdirError(RuntimeError):
    """A folder that can't be worked in."""


class WorkdirLocked(WorkdirError):
    """Another process is working in the folder."""


class Workdir:
    """Paths in a working directory."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        """Name the folder; nothing is created yet."""
        self.root = Path(root).absolute()
        self.metadata = self.root / "metadata.db"
        self.artifacts = self.root / "artifacts"
        self.serving_model = self.root / "serving_model"
        self.report = self.root / "report" / REPORT
        self.checkpoints = self.root / "checkpoints"
        self.logs = self.root / "logs"
        self.temporary = self.root / ".tmp"
        self.sample_data = self.root / "sample-data"
        self._lock = self.root / ".lock"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder's lock; the system releases it when the process ends, however it ends.

        Raises:
            WorkdirLocked: another process holds it.
            WorkdirError: the folder can't be made or written to.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):  # gc must work on a full disk
                self._mark()
            opened = self._lock.open("a+")
        except OSError as error:
            reason = "there is a file of that name" if self.root.is_file() else error.strerror
            raise WorkdirError(f"can't work in {self.root}: {reason}. Name another folder with --workdir") from None
        with opened as file:
            if not _try_lock(file):
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise WorkdirLocked(
                    f"{self.root} is in use by process {holder}: wait for it, or name another folder with --workdir"
                )
            with contextlib.suppress(OSError):  # who holds the lock is for people; gc must work on a full disk
                os.truncate(file.fileno(), 0)
                os.write(file.fileno(), str(os.getpid()).encode())
            yield

    def _mark(self) -> None:
        """Let a run that reads a folder around this one leave it out."""
        marker = self.root / WORKDIR_MARKER
        if not marker.exists():
            marker.touch()

    def is_locked(self) -> bool:
        """Return whether a process holds the lock now."""
        if not self._lock.exists():
            return False
        with self._lock.open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False


def _try_lock(file: IO[str]) -> bool:
    """Take the lock; half a second's patience, since a look at the folder holds it for an instant."""
    for _ in range(_ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return True
    return False
