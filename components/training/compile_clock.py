"""The time that programs take to compile: shown when it begins and when it is over, and kept out of the speed."""
# ruff: noqa: ARG002 (Keras passes callbacks their arguments by name)

import time
from typing import Any

import keras


class CompileClock(keras.callbacks.Callback):
    """Notes which executions compiled a program before they ran it.

    Attributes:
        training_seconds: that such executions of the training have taken since the epoch began.
        seconds: likewise of training and evaluation.
        share_of_images: of the epoch's, that were in those of the training.
    """

    def __init__(self) -> None:
        super().__init__()
        self.training_seconds = self.seconds = self.share_of_images = self._started = 0.0
        self._program: str | None = None
        self._first = 0

    def building(self, program: str) -> None:
        """Take note that a program is traced, which its first execution begins with; several devices trace it each."""
        if self._program is None:
            print(f"Compiling the {program} …", flush=True)
        self._program = program

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Begin to count."""
        self.training_seconds = self.seconds = self.share_of_images = 0.0

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the time."""
        self._started, self._first = time.perf_counter(), batch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the execution if it compiled."""
        if self._program is not None:
            steps = self.params["steps"]
            self.share_of_images += (min(batch + 1, steps) - self._first) / steps
        self.training_seconds += self._count()

    def on_test_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the time."""
        self._started = time.perf_counter()

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the execution if it compiled."""
        self._count()

    def _count(self) -> float:
        if self._program is None:
            return 0.0
        seconds = time.perf_counter() - self._started
        print(f"Compiled the {self._program} in {seconds:.1f} s", flush=True)
        self.seconds += seconds
        self._program = None
        return seconds
