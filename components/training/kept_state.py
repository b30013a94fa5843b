"""Where the state of a training outlives its process: a folder, or an object store behind a folder of this machine.

A pod's disk goes with the pod. Files are written to the local folder, whole, and copied to the store from there, beside
the training and no more often than once a minute; what is in the store when the process begins is fetched first.
"""

import os
import posixpath
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from components.formats.pushed_models import file_system
from components.tools.files import replacing
from components.tools.retries import reason, with_retries

# A state is some 130 MB for a ResNet-18, a gigabyte for a ResNet-152; an epoch may take seconds.
PAUSE = 60.0
# Kubeflow's launcher knows by itself where this is; everybody else calls it S3 and needs an address, or would ask AWS.
_LAUNCHERS = "minio://"
_ENDPOINT = "AWS_ENDPOINT_URL"


class KeptState:
    """A folder of state files; see `open_state`.

    Attributes:
        folder: on this machine.
    """

    def __init__(self, folder: Path, remote: str | None) -> None:
        self.folder = folder
        self._remote, self._is_copy = remote, remote is not None
        self._lock = threading.Lock()
        self._due: dict[Path, None] = {}
        self._is_copying = False
        self._thread: threading.Thread | None = None
        self._last = -PAUSE
        self._has_warned = False

    def keep(self, file: Path, at_once: bool = False) -> None:
        """Copy a file to the store, soon; called again before that, only its newest content is copied.

        Args:
            file: below `folder`, written whole.
            at_once: without waiting for the pause, as for what is small.
        """
        if self._remote is None:
            return
        with self._lock:
            self._due[file] = None
            if self._is_copying or not (at_once or time.monotonic() - self._last >= PAUSE):
                return
            self._is_copying, self._last = True, time.monotonic()
        self._thread = threading.Thread(target=self._copy, name="state")
        self._thread.start()

    def close(self) -> None:
        """Copy what is still due, and delete the copy on this machine, but not a folder that is no copy."""
        if not self._is_copy:
            return
        self._wait()
        self._copy()
        shutil.rmtree(self.folder, ignore_errors=True)

    def fetch(self) -> None:
        """Copy from the store what another process left there."""
        if self._remote is None:
            return
        if self._remote.startswith(_LAUNCHERS):
            if not os.environ.get(_ENDPOINT):
                self._warn(ValueError(f"{_ENDPOINT} doesn't say where that is"))
                self._remote = None
                return
            self._remote = f"s3://{self._remote.removeprefix(_LAUNCHERS)}"
        try:
            store, root = file_system(self._remote)
            for path in with_retries(partial(store.find, root)):
                target = self.folder / posixpath.relpath(path, root)
                target.parent.mkdir(parents=True, exist_ok=True)
                with replacing(target) as partly:
                    with_retries(partial(store.get_file, path, str(partly)))
        except FileNotFoundError:
            return
        except Exception as error:  # each store has errors of its own; training is possible without
            self._warn(error)

    def remove(self) -> None:
        """Delete all of it, here and in the store."""
        self._wait()
        self._due.clear()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._remote is None:
            return
        try:
            store, root = file_system(self._remote)
            store.invalidate_cache()
            with_retries(partial(store.rm, root, recursive=True))
        except FileNotFoundError:
            return
        except Exception as error:
            print(f"Warning: {self._remote} isn't needed any more, but can't be deleted: {reason(error)}", flush=True)

    def _wait(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def _copy(self) -> None:
        """Copy what is due; what fails stays due, for the next time."""
        while self._remote is not None:
            with self._lock:
                file = next(iter(self._due), None)
                if file is None:
                    break
                del self._due[file]
            try:
                store, root = file_system(self._remote)
                target = posixpath.join(root, file.relative_to(self.folder).as_posix())
                with_retries(partial(store.put_file, str(file), target))
            except Exception as error:
                self._warn(error)
                with self._lock:
                    self._due.setdefault(file)
                    self._is_copying = False
                return
        with self._lock:
            self._is_copying = False

    def _warn(self, error: Exception) -> None:
        """Say once that an interruption would cost more than it should."""
        if not self._has_warned:
            print(
                f"Warning: the state of the training can't be kept at {self._remote}: {reason(error)}. If it is "
                "interrupted meanwhile, it begins anew; train.checkpoints names another place",
                flush=True,
            )
        self._has_warned = True


def open_state(place: str, name: str) -> KeptState:
    """Return a folder with what an interrupted process left; `close` it, or `remove` it.

    Args:
        place: a folder, or the prefix of an object store.
        name: by all that decides the result, so that no other training takes it up.
    """
    if "://" not in place:
        return KeptState(Path(place) / name, None)
    state = KeptState(Path(tempfile.mkdtemp(prefix="state-")), f"{place.rstrip('/')}/{name}")
    state.fetch()
    return state


@contextmanager
def keep_state(place: str, name: str) -> Iterator[KeptState | None]:
    """Open the state for a while; None where `place` is empty, since nothing is kept then."""
    state = open_state(place, name) if place else None
    try:
        yield state
    finally:
        if state is not None:
            state.close()
