"""Callbacks that watch the validation loss: reduce the learning rate, keep the best weights, stop.

Unlike Keras' own, they can be put aside and taken up again: `state` returns all that they know (numbers, and arrays in
`arrays`), `restore` takes it back.
"""
# ruff: noqa: ARG002 (Keras passes callbacks their arguments by name)

import math
from statistics import median
from typing import Any

import keras
from numpy.typing import NDArray

from components.training.optimization import current_learning_rate

SMOOTHED = 3  # epochs


def validation_loss(model: keras.Model, logs: dict[str, Any] | None) -> float:
    """Return an epoch's validation loss less the L2 penalty, which falls whether or not the model gets better."""
    return float((logs or {})["val_loss"]) - sum(float(penalty) for penalty in model.losses)


class ReduceOnPlateau(keras.callbacks.Callback):
    """Multiply the learning rate by `factor` after `patience` epochs without a lower validation loss."""

    def __init__(self, factor: float = 0.1, patience: int = 5) -> None:
        super().__init__()
        self.factor, self.patience = factor, patience
        self.best, self.waited = math.inf, 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compare this epoch's loss with the best so far."""
        loss = validation_loss(self.model, logs)
        if loss < self.best:
            self.best, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
            optimizer.learning_rate = current_learning_rate(optimizer) * self.factor
            self.waited = 0

    def begin_again(self) -> None:
        """Forget what was waited for."""
        self.waited = 0

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs; the learning rate itself is a variable of the optimizer."""
        return {"best": self.best, "waited": self.waited}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        self.best, self.waited = state["best"], state["waited"]


class StopEarly(keras.callbacks.Callback):
    """Stop after `patience` epochs without a lower validation loss, and restore the best epoch's weights.

    The loss is the median of an epoch's and the `SMOOTHED - 1` before it: a single lucky epoch is neither the best nor
    the end of a training.

    Args:
        patience: epochs; None: go on to the end.
    """

    def __init__(self, patience: int | None) -> None:
        super().__init__()
        self.patience = patience
        self.best, self.best_epoch, self.waited = math.inf, -1, 0
        self.recent: list[float] = []
        self.arrays: list[NDArray[Any]] = []

    @property
    def finished(self) -> bool:
        """Whether the patience is used up."""
        return self.patience is not None and self.waited >= self.patience

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remember the weights of the best epoch."""
        now = validation_loss(self.model, logs)
        self.recent = [*self.recent, now if math.isfinite(now) else math.inf][-SMOOTHED:]
        loss = median(self.recent)
        if loss < self.best:
            self.best, self.best_epoch, self.waited = loss, epoch, 0
            self.arrays = [weight.numpy() for weight in self.model.weights]
        else:
            self.waited += 1
        if self.finished:
            self.model.stop_training = True

    def begin_again(self) -> None:
        """Forget what was waited for, and the losses that the next ones are no continuation of."""
        self.waited, self.recent = 0, []

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Restore the best weights."""
        for weight, value in zip(self.model.weights, self.arrays, strict=False):
            weight.assign(value)

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs beside the arrays."""
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited, "recent": self.recent}

    def restore(self, state: dict[str, Any], arrays: list[NDArray[Any]]) -> None:
        """Go on from `state`."""
        self.best, self.best_epoch, self.waited = state["best"], state["best_epoch"], state["waited"]
        self.recent = state["recent"]
        self.arrays = arrays


class StopOnNaN(keras.callbacks.Callback):
    """Raise as soon as the loss is NaN or infinite."""

    def __init__(self, remedy: str) -> None:
        super().__init__()
        self.epoch, self.remedy = 0, remedy

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remember the epoch for the message."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the running mean of the loss."""
        loss = float((logs or {})["loss"])
        if not math.isfinite(loss):
            rate = current_learning_rate(self.model.optimizer)
            raise FloatingPointError(
                f"The loss became {loss} in epoch {self.epoch + 1} at a learning rate of {rate:.3g}. {self.remedy}"
            )
