"""From drawn images to what the network is given: the same on every device.

N×H×W×C uint8 images, their labels and the batch's draws in; (N×H×W×C float32 in 0–255, N×classes float32 targets,
N float32 weights) out.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.training.augmentation import Draws, augment, mixup
from components.training.options import TrainOptions
from components.training.sampling import Sampler, by_kernel

Batch = tuple[tf.Tensor, tf.Tensor, tf.Tensor]


class Drawn(NamedTuple):
    """A batch before its pixels are touched; every tensor has N rows.

    Attributes:
        images: N×H×W×C uint8, or [N] numbers of images that are held elsewhere.
        labels: [N] int64, or N×classes float32 shares (see `ImageData.shares`).
        draws: what is random.
    """

    images: tf.Tensor
    labels: tf.Tensor
    draws: Draws


def finish(drawn: Drawn, options: TrainOptions, weights: NDArray[np.float32], sampler: Sampler = by_kernel) -> Batch:
    """Augment the images and make their targets.

    With mixup an image's neighbour is the one before it in `drawn`: of devices that share a batch, each blends its own.

    Args:
        drawn: with images, not their numbers.
        options: of augmentation, mixup and label smoothing.
        weights: of the classes, one each.
        sampler: how pixels are interpolated.
    """
    classes = len(weights)
    images = augment(tf.cast(drawn.images, tf.float32), options.augment, drawn.draws, sampler)
    if drawn.labels.dtype.is_integer:
        targets, weight = tf.one_hot(drawn.labels, classes), tf.gather(tf.constant(weights), drawn.labels)
    else:
        targets, weight = _apart(drawn.labels * weights)
    if options.mixup:
        # Each image's share of the loss is weighed as it would be alone.
        images, blended = mixup(images, targets * weight[:, tf.newaxis], drawn.draws.share)
        targets, weight = _apart(blended)
    return images, targets * (1.0 - options.label_smoothing) + options.label_smoothing / classes, weight


def _apart(shares: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return N×classes distributions, and the [N] weights that they were multiplied by."""
    weight = tf.reduce_sum(shares, axis=1)
    return tf.math.divide_no_nan(shares, weight[:, tf.newaxis]), weight


def class_weights(labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Weigh each class by the inverse of its frequency; the mean weight of all images is 1."""
    counts = np.bincount(labels, minlength=classes)
    return (len(labels) / (np.maximum(counts, 1) * np.count_nonzero(counts))).astype(np.float32)


def weights_of(labels: NDArray[np.int64], classes: int, options: TrainOptions) -> NDArray[np.float32]:
    """Return the classes' weights, which are all 1 where none are asked for."""
    return class_weights(labels, classes) if options.class_weights else np.ones(classes, np.float32)
