"""One file an epoch from which training goes on exactly as if it had never stopped.

It holds the weights, the optimizer, the random generators of dropout, the state of the callbacks, the history and the
number of finished epochs; the input needs no more than that number. The file is complete under its name (written beside
it, then renamed), and one that is cut short or of other options is ignored.
"""
# ruff: noqa: ARG002 (Keras passes callbacks their arguments by name)

import json
import logging
import os
import struct
import threading
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from components.training.stopping import ReduceOnPlateau, StopEarly

FILE_NAME = "training.npz"
Array = NDArray[Any]
# RuntimeError and its NotImplementedError: a changed bit makes a zip file encrypted, or one of a version to come.
_DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    RuntimeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)
log = logging.getLogger(__name__)


class Checkpoint(keras.callbacks.Callback):
    """Writes the state after every epoch, in a thread beside the next epoch's first steps.

    Args:
        folder: where the file lies; made if missing.
        fingerprint: of everything that decides the result; another one's file is ignored.
        stopping: the callback that holds the best weights.
        plateau: the callback that reduces the learning rate, if any.
        history: the list of the epochs' figures, extended in place by another callback that runs before this one.
        keep: called with the file after each writing.
    """

    def __init__(
        self,
        folder: Path,
        fingerprint: str,
        stopping: StopEarly,
        plateau: ReduceOnPlateau | None,
        history: list[dict[str, Any]],
        keep: Callable[[Path], None] | None = None,
    ) -> None:
        super().__init__()
        self.file = folder / FILE_NAME
        self.fingerprint = fingerprint
        self.stopping, self.plateau, self.history = stopping, plateau, history
        self._keep = keep
        self._writer: threading.Thread | None = None

    def restore(self, model: keras.Model) -> int:
        """Take up the state of the file; the optimizer must be built.

        Returns:
            The number of finished epochs; 0 if there is no usable file.
        """
        state = read_state(self.file)
        if state is None:
            return 0
        meta, variables, best = state
        targets = state_variables(model)
        if meta["fingerprint"] != self.fingerprint or [tuple(v.shape) for v in targets] != [v.shape for v in variables]:
            log.warning("The checkpoint %s is of other options and ignored", self.file)
            return 0
        for target, value in zip(targets, variables, strict=True):
            target.assign(value)
        self.stopping.restore(meta["stopping"], best)
        if self.plateau is not None:
            self.plateau.restore(meta["plateau"])
        self.history[:] = meta["history"]
        return int(meta["epochs"])

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Copy the state and write it in a thread."""
        values = [variable.numpy() for variable in state_variables(self.model)]
        best = list(self.stopping.arrays)
        meta = {
            "fingerprint": self.fingerprint,
            "epochs": epoch + 1,
            "variables": len(values),
            "best": len(best),
            "stopping": self.stopping.state(),
            "plateau": self.plateau.state() if self.plateau is not None else None,
            "history": self.history,
        }
        arrays = {"meta": np.array(json.dumps(meta))}
        arrays |= {f"variable/{index}": value for index, value in enumerate(values)}
        arrays |= {f"best/{index}": value for index, value in enumerate(best)}
        self.wait()
        self._writer = threading.Thread(target=self._write, args=(arrays,), name="checkpoint")
        self._writer.start()

    def wait(self) -> None:
        """Wait until the last epoch's state is on disk."""
        if self._writer is not None:
            self._writer.join()
            self._writer = None

    def _write(self, arrays: dict[str, Any]) -> None:
        partial = self.file.with_suffix(".partial")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as output:
                np.savez(output, **arrays)
                output.flush()
                os.fsync(output.fileno())
            partial.replace(self.file)
        except OSError as error:  # a full disk must not end the training
            log.warning("The checkpoint %s can't be written: %s", self.file, error)
            return
        if self._keep is not None:
            self._keep(self.file)


def read_state(file: Path) -> tuple[dict[str, Any], list[Array], list[Array]] | None:
    """Return what a checkpoint says of the training, its variables, and the best weights; None without a whole one."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            meta = json.loads(str(arrays["meta"]))
            variables = [arrays[f"variable/{index}"] for index in range(meta["variables"])]
            best = [arrays[f"best/{index}"] for index in range(meta["best"])]
    except FileNotFoundError:
        return None
    except _DAMAGED as error:
        log.warning("The checkpoint %s is damaged and ignored: %s", file, error)
        return None
    return meta, variables, best


def state_variables(model: keras.Model) -> list[keras.Variable]:
    """Return all variables that training changes: weights, generators of dropout, the optimizer's."""
    weights = {id(weight) for weight in model.weights}
    generators = [v for v in model.variables if id(v) not in weights and "seed_generator" in v.path]
    return [*model.weights, *generators, *model.optimizer.variables]
