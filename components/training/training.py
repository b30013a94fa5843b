"""Build, train and resume one model: options and data in, the best weights and the history out."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.util import _pywrap_determinism

from components.formats.nodes import TRAINER
from components.tools.wording import counted
from components.training.adjusted_model import AdjustedModel
from components.training.checkpoint import Checkpoint
from components.training.device_feed import DeviceFeed
from components.training.epoch_log import EpochLog
from components.training.execution import Execution
from components.training.imbalance import correction_of
from components.training.input import (
    ImageData,
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)
from components.training.network import build_model
from components.training.optimization import make_optimizer
from components.training.options import TrainOptions
from components.training.settings import Settings
from components.training.sizes import Shrink, SizeSchedule
from components.training.stages import HeadFirst
from components.training.stopping import ReduceOnPlateau, StopEarly, StopOnNaN
from components.training.undecodable import naming_undecodable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """A trained model, which returns logits, and how it came about."""

    model: keras.Model
    history: list[dict[str, Any]]
    best_epoch: int
    seconds: float
    images_per_second: float | None


class Training:
    """One training: options and data in, the best epoch's weights and the history out.

    Args:
        settings: model, training, image options and the seed.
        train_data: what to train on.
        eval_data: what decides when to stop and which epoch is best.
        classes: number of classes.
        precision: what to compute in.
        strategy: how to use several devices.
        execution: what runs where; the default is a processor's.
        component: name in the progress file.

    Attributes:
        correction: of the loss, for classes of few images.
        history: the figures of each epoch so far; callbacks may look at its last row when an epoch ends.

    Raises:
        ValueError: there are too few images for the devices.
    """

    def __init__(
        self,
        settings: Settings,
        train_data: ImageData,
        eval_data: ImageData,
        classes: int,
        *,
        precision: str = "float32",
        strategy: tf.distribute.Strategy | None = None,
        execution: Execution | None = None,
        component: str = TRAINER,
    ) -> None:
        self._devices = strategy.num_replicas_in_sync if strategy else 1
        self._options = _share_batches(settings.train, len(train_data), self._devices)
        self._settings, self._classes, self._precision = settings, classes, precision
        self._train_data, self._eval_data = train_data, eval_data
        self.correction = correction_of(train_data.labels, train_data.shares, classes, settings.train)
        self._strategy = strategy or tf.distribute.get_strategy()
        self._execution = execution or Execution()
        self._component = component
        self._steps = steps_per_epoch(train_data, self._options.batch_size)
        self.history: list[dict[str, Any]] = []

    def run(
        self,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        checkpoint: tuple[Path, str] | None = None,
        *,
        begun: tuple[Path, str] | None = None,
        until: int | None = None,
        keep: Callable[[Path], None] | None = None,
    ) -> Trained:
        """Train for `train.epochs` epochs or until validation stops improving, and keep the best epoch's weights.

        Args:
            callbacks: called when an epoch's figures stand in `history`, before its state is written.
            checkpoint: folder and fingerprint of the state to go on from, and to write after each epoch.
            begun: folder and fingerprint of a state to go on from where there is none of its own, as the Tuner's.
            until: the epoch to stop after, as if interrupted there; None: the last.
            keep: called with the file of the state after each writing, in a thread.

        Raises:
            FloatingPointError: the loss is NaN or infinite.
            MemoryError: a batch doesn't fit into memory.
        """
        started = time.perf_counter()
        self.history.clear()
        options = self._options
        keras.utils.set_random_seed(self._settings.seed)
        feed = self._device_feed() if self._execution.on_device else None
        with deterministic_ops(options.deterministic), self._strategy.scope():
            shrink = Shrink() if options.size_schedule else None
            network = self._build(shrink)
            model = self._compiled(self._to_fit(network, feed))
            stopping = StopEarly(options.epochs_without_gain)
            plateau = ReduceOnPlateau() if options.schedule == "plateau" else None
            everything: list[keras.callbacks.Callback] = [
                StopOnNaN(self._remedy()),
                *(feed.callbacks if feed else []),
                EpochLog(
                    options.epochs,
                    self._steps * options.batch_size,
                    self.history,
                    self._component,
                    feed.clock if feed else None,
                ),
                *([plateau] if plateau else []),
                stopping,
                *([SizeSchedule(shrink, options, self._size())] if shrink else []),
                *([HeadFirst(options.head_epochs, stopping, plateau)] if options.head_epochs else []),
                *callbacks,
            ]
            states = [
                Checkpoint(*place, stopping, plateau, self.history, keep) for place in (checkpoint, begun) if place
            ]
            if checkpoint is not None:
                everything.append(states[0])
            first_epoch = next((found for state in states if (found := state.restore(model))), 0)
            if first_epoch:
                print(f"Continuing after epoch {first_epoch} of a training that has begun", flush=True)
            last = options.epochs if until is None else min(until, options.epochs)
            if first_epoch >= last or stopping.finished:
                nothing_left = keras.callbacks.CallbackList(everything, model=model)
                nothing_left.on_train_begin()
                nothing_left.on_train_end()
            else:
                try:
                    self._fit(model, feed, first_epoch, last, everything)
                finally:
                    for state in states:
                        state.wait()
        if stopping.best_epoch < 0:
            raise FloatingPointError(
                f"The validation loss was NaN or infinite in each of {counted(len(self.history), 'epoch')} at "
                f"train.learning_rate={options.learning_rate:g}. {self._remedy()}"
            )
        speeds = sorted(row["images_per_second"] for row in self.history[1:] or self.history)
        return Trained(
            network,
            self.history,
            stopping.best_epoch + 1,
            time.perf_counter() - started,
            speeds[len(speeds) // 2] if speeds else None,
        )

    def _build(self, first: keras.Layer | None) -> keras.Model:
        shape = (*self._size(), self._settings.image.channels)
        return build_model(self._settings.model, self._classes, shape, self._precision, after_input=first)

    def _to_fit(self, network: keras.Model, feed: DeviceFeed | None) -> keras.Model:
        if feed:
            return feed.model(network, self.correction)
        return AdjustedModel(network, self.correction) if self.correction.adjusts else network

    def _size(self) -> tuple[int, int]:
        return self._settings.image.height, self._settings.image.width

    def _compiled(self, model: keras.Model) -> keras.Model:
        model.compile(
            optimizer=make_optimizer(self._options, self._steps, self._precision),
            loss=keras.losses.CategoricalCrossentropy(from_logits=True),
            metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
            jit_compile=self._execution.jit_compile,
            steps_per_execution=self._execution.steps_per_execution(self._steps),
        )
        model.optimizer.build(model.trainable_variables)  # before the first step is traced, or its loss scale is fixed
        return model

    def _device_feed(self) -> DeviceFeed:
        splits = (self._train_data, self._eval_data)
        options, seed = self._options, self._settings.seed
        return DeviceFeed(*splits, self._classes, options, self._judged(), seed, self._execution, self._strategy)

    def _judged(self) -> int:
        """Return the images of an evaluation step."""
        return _share_batches(self._options, len(self._eval_data), self._devices).batch_size

    def _fit(
        self,
        model: keras.Model,
        feed: DeviceFeed | None,
        first_epoch: int,
        last: int,
        callbacks: list[keras.callbacks.Callback],
    ) -> None:
        options, seed = self._options, self._settings.seed
        if feed:
            batches, judged = feed.training, feed.evaluation
        else:
            batches = training_batches(self._train_data, self._classes, options, seed, first_epoch)
            judged = evaluation_batches(self._eval_data, self._classes, self._judged())
        try:
            with naming_undecodable((*self._train_data.files, *self._eval_data.files)):
                model.fit(
                    batches,
                    steps_per_epoch=None if feed else self._steps,  # each iteration of a feed is an epoch
                    epochs=last,
                    initial_epoch=first_epoch,
                    validation_data=judged,
                    callbacks=callbacks,
                    verbose=0,
                )
        except (tf.errors.ResourceExhaustedError, MemoryError) as error:
            image = self._settings.image
            reason = str(error).partition("\n")[0][:200] or type(error).__name__
            raise MemoryError(
                f"Out of memory with train.batch_size={options.batch_size}, {self._settings.model.architecture} and "
                f"images of {image.height}×{image.width}. Try a smaller train.batch_size. ({reason})"
            ) from error

    def _remedy(self) -> str:
        warmup = "more train.warmup_epochs, " if self._options.schedule == "cosine" else ""
        return f"Try a lower train.learning_rate, {warmup}or train.precision=float32."


def _share_batches(options: TrainOptions, images: int, devices: int) -> TrainOptions:
    """Return the options with a batch size that the data fills and the devices divide evenly, as Keras requires."""
    size = min(options.batch_size, images) // devices * devices
    if not size:
        raise ValueError(
            f"{devices} devices need train.batch_size and each split to be at least {devices}. "
            f"Received: train.batch_size={options.batch_size}, a split of {counted(images, 'image')}"
        )
    return options.model_copy(update={"batch_size": size})


@contextlib.contextmanager
def deterministic_ops(wanted: bool) -> Iterator[None]:
    """Let TensorFlow choose deterministic kernels within this context, and not after it.

    TensorFlow can be asked to by its public interface, but not to stop; other components run in the same process.
    """
    before = _pywrap_determinism.is_enabled()
    _pywrap_determinism.enable(wanted or before)
    try:
        yield
    finally:
        _pywrap_determinism.enable(before)
