"""From drawn images to what the network is given: the same on every device.

N×H×W×C uint8 images, their labels and the batch's draws in; (N×H×W×C float32 in 0–255, N×classes float32 targets,
N float32 weights) out.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.training.augmentation import Draws, augment, mixup
from components.training.imbalance import Correction
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


def finish(drawn: Drawn, options: TrainOptions, correction: Correction, sampler: Sampler = by_kernel) -> Batch:
    """Augment the images and make their targets.

    Classes that weigh differently don't change what a batch weighs: one image of a class of few may outweigh the others
    of its batch, but no batch outweighs others by more than its images' own weights say.

    With mixup an image's neighbour is the one before it in `drawn`: of devices that share a batch, each blends its own.

    Args:
        drawn: with images, not their numbers.
        options: of augmentation, mixup and label smoothing.
        correction: what classes weigh, and what label smoothing draws to.
        sampler: how pixels are interpolated.
    """
    weights = correction.weights
    images = augment(tf.cast(drawn.images, tf.float32), options.augment, drawn.draws, sampler)
    if drawn.labels.dtype.is_integer:
        targets, weight = tf.one_hot(drawn.labels, len(weights)), tf.gather(tf.constant(weights), drawn.labels)
        own = tf.ones_like(weight)
    else:
        targets, weight = _apart(drawn.labels * weights)
        own = tf.reduce_sum(drawn.labels, axis=1)
    if correction.weighs:
        weight *= tf.math.divide_no_nan(tf.reduce_sum(own), tf.reduce_sum(weight))
    if options.mixup:
        # Each image's share of the loss is weighed as it would be alone.
        images, blended = mixup(images, targets * weight[:, tf.newaxis], drawn.draws.share)
        targets, weight = _apart(blended)
    smoothed = (options.label_smoothing * correction.smoothed).astype(np.float32)
    return images, targets * (1.0 - options.label_smoothing) + smoothed, weight


def _apart(shares: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return N×classes distributions, and the [N] weights that they were multiplied by."""
    weight = tf.reduce_sum(shares, axis=1)
    return tf.math.divide_no_nan(shares, weight[:, tf.newaxis]), weight
