"""Build, train and resume one model: options and data in, the best weights and the history out."""

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.util import _pywrap_determinism

from components.options import ModelOptions, TrainOptions
from components.trainer import resnets
from components.trainer.checkpoint import Checkpoint
from components.trainer.input import (
    ImageData,
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)
from components.trainer.optimization import make_optimizer
from components.trainer.precision import dtype_policy
from components.trainer.pretrained import preprocesses
from components.trainer.progress import EpochLog
from components.trainer.settings import Settings
from components.trainer.stopping import ReduceOnPlateau, StopEarly, StopOnNaN
from components.trainer.trackers import TrackEpochs, Tracker

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """A trained model, which returns logits, and how it came about."""

    model: keras.Model
    history: list[dict[str, Any]]
    best_epoch: int
    seconds: float
    images_per_second: float | None


def build_model(
    options: ModelOptions,
    classes: int,
    input_shape: tuple[int, int, int],
    precision: str = "float32",
    *,
    imagenet_preprocessing: bool = False,
) -> keras.Model:
    """Build the network of `options`, computing in `precision` and returning logits."""
    deep = resnets.BLOCKS[options.architecture][0] == "bottleneck"
    zero_init_residual = deep if options.zero_init_residual is None else options.zero_init_residual
    with dtype_policy(precision):
        return resnets.resnet(
            options.architecture,
            classes,
            input_shape,
            options.normalize,
            keras.regularizers.L2(options.l2) if options.l2 else None,
            options.dropout,
            classifier_activation=None,
            zero_init_residual=zero_init_residual,
            weights=options.weights,
            freeze=options.freeze,
            imagenet_preprocessing=imagenet_preprocessing,
        )


def copy_in_float32(model: keras.Model, options: ModelOptions) -> keras.Model:
    """Copy a trained model of `options`, so that what serves it needs no fast bfloat16."""
    copy = build_model(
        options.model_copy(update={"weights": None}),
        model.output_shape[-1],
        model.input_shape[1:],
        imagenet_preprocessing=preprocesses(model),
    )
    copy.set_weights(model.get_weights())
    return copy


def train(
    settings: Settings,
    train_data: ImageData,
    eval_data: ImageData,
    classes: int,
    *,
    precision: str = "float32",
    strategy: tf.distribute.Strategy | None = None,
    checkpoint: tuple[Path, str] | None = None,
    trackers: Sequence[Tracker] = (),
    component: str = "Trainer",
) -> Trained:
    """Train for `train.epochs` epochs or until validation stops improving, and keep the best epoch's weights.

    Args:
        settings: model, training, image options and the seed.
        train_data: what to train on.
        eval_data: what decides when to stop and which epoch is best.
        classes: number of classes.
        precision: what to compute in.
        strategy: how to use several devices.
        checkpoint: folder and fingerprint of the state to go on from, and to write after each epoch.
        trackers: where to log each epoch.
        component: name in the progress file.

    Raises:
        ValueError: there are too few images for the devices.
        FloatingPointError: the loss is no number any more.
        MemoryError: a batch doesn't fit into memory.
    """
    started = time.perf_counter()
    devices = strategy.num_replicas_in_sync if strategy else 1
    settings = replace(settings, train=_share_batches(settings.train, len(train_data), devices))
    options = settings.train
    keras.utils.set_random_seed(settings.seed)
    image = settings.image
    steps = steps_per_epoch(train_data, options.batch_size)
    warmup = "more train.warmup_epochs, " if options.schedule == "cosine" else ""
    remedy = f"Try a lower train.learning_rate, {warmup}or train.precision=float32."
    with deterministic_ops(options.deterministic), (strategy or tf.distribute.get_strategy()).scope():
        model = build_model(settings.model, classes, (image.height, image.width, image.channels), precision)
        model.compile(
            optimizer=make_optimizer(options, steps, precision),
            loss=keras.losses.CategoricalCrossentropy(from_logits=True),
            metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
            jit_compile=False,  # on the processor XLA halves the speed
        )
        model.optimizer.build(model.trainable_variables)  # before the first step is traced, or its loss scale is fixed
        history: list[dict[str, Any]] = []
        stopping = StopEarly(options.patience)
        plateau = ReduceOnPlateau() if options.schedule == "plateau" else None
        track = TrackEpochs(trackers, history)
        own: list[keras.callbacks.Callback] = [
            StopOnNaN(remedy),
            EpochLog(options.epochs, steps * options.batch_size, history, component),
            *([plateau] if plateau else []),
            stopping,
            track,
        ]
        first_epoch = 0
        if checkpoint is not None:
            writer = Checkpoint(*checkpoint, stopping, plateau, history)
            own.append(writer)
            first_epoch = writer.restore(model)
            if first_epoch:
                print(f"Continuing after epoch {first_epoch} of an interrupted training", flush=True)
            for figures in history:  # what the interrupted training logged lies elsewhere
                track.track(figures)
        if first_epoch >= options.epochs or stopping.finished:
            stopping.set_model(model)
            stopping.on_train_end()
        else:
            judged = _share_batches(options, len(eval_data), devices).batch_size
            _fit(model, settings, train_data, eval_data, classes, steps, judged, first_epoch, own)
    if stopping.best_epoch < 0:
        raise FloatingPointError(
            f"The validation loss was no number in any of {len(history)} epochs at train.learning_rate="
            f"{options.learning_rate:g}. {remedy}"
        )
    speeds = sorted(row["images_per_second"] for row in history[1:] or history)
    return Trained(
        model,
        history,
        stopping.best_epoch + 1,
        time.perf_counter() - started,
        speeds[len(speeds) // 2] if speeds else None,
    )


def _share_batches(options: TrainOptions, images: int, devices: int) -> TrainOptions:
    """Return the options with a batch size that the data fills and the devices divide evenly, as Keras wants it."""
    size = min(options.batch_size, images) // devices * devices
    if not size:
        raise ValueError(
            f"{devices} devices need train.batch_size and each split to be at least {devices}. "
            f"Received: train.batch_size={options.batch_size}, a split of {images} images"
        )
    return options.model_copy(update={"batch_size": size})


def _fit(
    model: keras.Model,
    settings: Settings,
    train_data: ImageData,
    eval_data: ImageData,
    classes: int,
    steps: int,
    eval_batch_size: int,
    first_epoch: int,
    callbacks: list[keras.callbacks.Callback],
) -> None:
    options = settings.train
    try:
        model.fit(
            training_batches(train_data, classes, options, settings.seed, first_epoch),
            steps_per_epoch=steps,
            epochs=options.epochs,
            initial_epoch=first_epoch,
            validation_data=evaluation_batches(eval_data, classes, eval_batch_size),
            callbacks=callbacks,
            verbose=0,
        )
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        size = f"{settings.image.height}×{settings.image.width}"
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        raise MemoryError(
            f"Out of memory with train.batch_size={options.batch_size}, {settings.model.architecture} and images of "
            f"{size}. Try a smaller train.batch_size. ({reason})"
        ) from error


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
