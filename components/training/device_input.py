"""Batches for a device that works on the pixels itself: the host hands over numbers and draws, or raw images.

A batch holds what `input.training_batches` would give for the same (seed, epoch, step). Each iteration of a dataset is
one epoch, so that no execution of several steps crosses its end.
"""

from collections.abc import Callable, Sequence

import tensorflow as tf

from components.training.batch import Batch, Drawn, finish
from components.training.execution import STEPS
from components.training.imbalance import correction_of
from components.training.input import (
    ImageData,
    drawn_batches,
    labelled_batches,
    parallelism,
    steps_per_epoch,
    without_autotuning,
)
from components.training.options import TrainOptions
from components.training.sampling import Sampler, by_gathers, by_kernel


class HeldImages:
    """A copy of N×H×W×C uint8 images in the memory of each device.

    Args:
        images: in the host's memory.
        devices: names, in the order of a strategy's replicas.
    """

    def __init__(self, images: tf.Tensor, devices: Sequence[str]) -> None:
        self._copies = []
        for device in devices:
            with tf.device(device):
                self._copies.append(tf.identity(images))

    def __call__(self, numbers: tf.Tensor) -> tf.Tensor:
        """Return the images of these numbers, on the device that asks."""
        replica = tf.convert_to_tensor(tf.distribute.get_replica_context().replica_id_in_sync_group)
        return tf.gather(self._copies[int(tf.get_static_value(replica))], numbers)


def training_line(data: ImageData, options: TrainOptions, seed: int, epoch: tf.Variable, held: bool) -> tf.data.Dataset:
    """Return the batches of an epoch as `Drawn`.

    Args:
        data: what to train on.
        options: batch size, augmentation, mixup.
        seed: of the training.
        epoch: int64, on the processor; which epoch the next iteration is of.
        held: whether the device has the images, and needs their numbers alone.
    """
    epochs = tf.data.Dataset.range(1).map(lambda _: epoch.read_value())
    batches = drawn_batches(data, options, seed, epochs, numbers=held)
    steps = steps_per_epoch(data, min(options.batch_size, len(data)))
    return _ahead(batches.apply(tf.data.experimental.assert_cardinality(steps)), held)


def evaluation_line(data: ImageData, batch_size: int, held: bool) -> tf.data.Dataset:
    """Return each image of the split once, in record order, as (uint8 images or their numbers, labels, weights).

    The last batch is filled up with images of weight 0: a smaller one would be a program more to compile, and leave
    nothing to some of several devices. The weights of the others are such that the mean over all batches of a batch's
    mean is that of all images.
    """
    steps = -(-len(data) // batch_size)
    weight = steps * batch_size / len(data)

    def fill(*parts: tf.Tensor) -> tuple[tf.Tensor, ...]:
        missing = batch_size - tf.size(parts[-1])
        parts = (*parts, tf.fill(tf.shape(parts[-1]), weight))
        filled = (tf.pad(part, [[0, missing], *[[0, 0]] * (part.shape.rank - 1)]) for part in parts)
        return tuple(tf.ensure_shape(part, (batch_size, *part.shape[1:])) for part in filled)

    return _ahead(labelled_batches(data, batch_size, numbers=held).map(fill, parallelism()), held)


def training_stage(
    data: ImageData, classes: int, options: TrainOptions, held: HeldImages | None, jit_compile: bool
) -> Callable[[Drawn], Batch]:
    """Return what makes a batch of a `Drawn`, on the device."""
    correction = correction_of(data.labels, data.shares, classes, options)
    sampler: Sampler = by_gathers if jit_compile else by_kernel

    def stage(drawn: Drawn) -> Batch:
        images = held(drawn.images) if held else drawn.images
        return finish(drawn._replace(images=images), options, correction, sampler)

    return stage


def evaluation_stage(classes: int, held: HeldImages | None) -> Callable[[Batch], Batch]:
    """Return what makes (float32 images, one-hot targets, weights) of a batch of `evaluation_line`, on the device."""

    def stage(batch: Batch) -> Batch:
        images, labels, weights = batch
        return tf.cast(held(images) if held else images, tf.float32), tf.one_hot(labels, classes), weights

    return stage


def _ahead(batches: tf.data.Dataset, held: bool) -> tf.data.Dataset:
    """Make batches before they are asked for: enough for two executions where they are small."""
    return without_autotuning(batches.prefetch(2 * STEPS if held else 2))
