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
        self._due: dict[Path, None] = {}
        self._copying: threading.Thread | None = None
        self._last = -PAUSE

    def keep(self, file: Path, at_once: bool = False) -> None:
        """Copy a file to the store, soon; called again before that, only its newest content is copied.

        Args:
            file: below `folder`, written whole.
            at_once: without waiting for the pause, as for what is small.
        """
        if self._remote is None:
            return
        self._due[file] = None
        busy = self._copying is not None and self._copying.is_alive()
        if not busy and (at_once or time.monotonic() - self._last >= PAUSE):
            self._last = time.monotonic()
            self._copying = threading.Thread(target=self._copy, name="state")
            self._copying.start()

    def close(self) -> None:
        """Copy what is still due, and delete the copy on this machine, but not a folder that is no copy."""
        if not self._is_copy:
            return
        if self._copying is not None:
            self._copying.join()
        self._copy()
        shutil.rmtree(self.folder, ignore_errors=True)

    def fetch(self) -> None:
        """Copy from the store what another process left there."""
        if self._remote is None:
            return
        try:
            if self._remote.startswith(_LAUNCHERS):
                if not os.environ.get(_ENDPOINT):
                    raise ValueError(f"{_ENDPOINT} doesn't say where that is")
                self._remote = f"s3://{self._remote.removeprefix(_LAUNCHERS)}"
            store, root = file_system(self._remote)
            for path in with_retries(partial(store.find, root)):
                target = self.folder / posixpath.relpath(path, root)
                target.parent.mkdir(parents=True, exist_ok=True)
                with_retries(partial(store.get_file, path, str(target)))
        except FileNotFoundError:
            return
        except Exception as error:  # each store has errors of its own; training is possible without
            self._give_up(error)

    def remove(self) -> None:
        """Delete all of it, here and in the store."""
        if self._copying is not None:
            self._copying.join()
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

    def _copy(self) -> None:
        while self._remote is not None and (due := list(self._due)):
            file = due[0]
            del self._due[file]
            try:
                store, root = file_system(self._remote)
                target = posixpath.join(root, file.relative_to(self.folder).as_posix())
                with_retries(partial(store.put_file, str(file), target))
            except Exception as error:
                self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        print(
            f"Warning: the state of the training can't be kept at {self._remote}: {reason(error)}. If it is "
            "interrupted, it begins anew; train.checkpoints names another place",
            flush=True,
        )
        self._remote = None
        self._due.clear()


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
