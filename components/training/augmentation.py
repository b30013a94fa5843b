"""Random changes of a whole batch at once: N×H×W×C float32 in 0–255 in, the same out.

What is random (`Draws`) is apart from what is done with it: the draws are a few numbers an image, made by the input
line on the host, and the pixels are changed wherever the images are. All randomness is stateless: the same seed gives
the same draws on every device, so a training that continues after a crash sees what an uninterrupted one would have
seen.
"""

import math
from typing import NamedTuple

import tensorflow as tf

from components.training.options import OnlineAugmentOptions, TrainOptions
from components.training.sampling import Sampler, by_kernel

# The automatic choice is another one on other devices.
ALGORITHM = "philox"


class Draws(NamedTuple):
    """What is random in a batch of N images; every tensor has N rows, so that devices can share a batch.

    Attributes:
        mirror: [N] bool; which images are mirrored.
        changes: N×6 float32 in -1…1: turn, zoom, shift to the side, shift down, contrast, brightness.
        share: [N] float32 in 0…1; what is left of each image when it is blended by mixup.
    """

    mirror: tf.Tensor
    changes: tf.Tensor
    share: tf.Tensor


def draw(identities: tf.Tensor, options: TrainOptions, seed: int, epoch: tf.Tensor, key: tf.Tensor) -> Draws:
    """Draw what is random in a batch.

    Args:
        identities: [N] int64; a number of each image, which is its own in every epoch.
        options: whether images are mirrored, and `mixup`: alpha of the symmetric Beta distribution of the shares.
        seed: of the training.
        epoch: int64.
        key: int64; a number that no other batch has.
    """
    count = tf.size(identities)
    keys = tf.random.experimental.stateless_split(tf.stack([tf.constant(seed, tf.int64), key]), 2, alg=ALGORITHM)
    uniform = tf.random.stateless_uniform((6, count), keys[0], minval=-1.0, maxval=1.0, alg=ALGORITHM)
    mirror = alternate(identities, seed, epoch) if options.augment.flip else tf.zeros((count,), tf.bool)
    share = tf.ones((count,))
    if options.mixup:
        gammas = tf.random.stateless_gamma((2, count), keys[1], options.mixup)
        share = gammas[0] / (gammas[0] + gammas[1])
    return Draws(mirror, tf.transpose(uniform), share)


def alternate(identities: tf.Tensor, seed: int, epoch: tf.Tensor) -> tf.Tensor:
    """Return which images to mirror: half of them in the first epoch, and each in every other one.

    So two epochs hold each image both ways, where chance shows a half of them twice alike (Jordan, arXiv 2404.00498,
    section 3.6).
    """
    sides = tf.strings.to_hash_bucket_strong(tf.strings.as_string(identities), 2, key=[seed, 0])
    return tf.equal((sides + epoch) % 2, 1)


def augment(images: tf.Tensor, options: OnlineAugmentOptions, draws: Draws, sampler: Sampler = by_kernel) -> tf.Tensor:
    """Mirror, turn, zoom and shift each image in one interpolation, and change its contrast and brightness.

    Args:
        images: N×H×W×C float32.
        options: how much of each.
        draws: of the batch.
        sampler: how pixels are interpolated.
    """
    if options.flip or options.rotation or options.zoom or options.shift:
        height, width = tf.unstack(tf.cast(tf.shape(images)[1:3], tf.float32))
        images = sampler(images, transforms(options, draws, height, width))
    return recolour(images, options.contrast, draws) if options.contrast else images


def transforms(options: OnlineAugmentOptions, draws: Draws, height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
    """Return N×8 numbers, as `ImageProjectiveTransformV3` takes them: from output to input coordinates.

    About the centre, turn, mirror and scale, then shift.
    """
    turn, zoom, aside, down, *_ = tf.unstack(draws.changes, axis=1)
    mirror = tf.where(draws.mirror, -1.0, 1.0)
    angle = turn * (options.rotation * math.pi / 180.0)
    # Zooming out is as likely as zooming in by the same factor.
    scale = tf.exp(zoom * math.log1p(options.zoom))
    a, b = mirror * tf.cos(angle) / scale, -mirror * tf.sin(angle) / scale
    c, d = tf.sin(angle) / scale, tf.cos(angle) / scale
    x0, y0 = (width - 1) / 2.0, (height - 1) / 2.0
    shift_x = x0 - a * x0 - b * y0 + aside * options.shift * width
    shift_y = y0 - c * x0 - d * y0 + down * options.shift * height
    zeros = tf.zeros_like(a)
    return tf.stack([a, b, shift_x, c, d, shift_y, zeros, zeros], axis=1)


def recolour(images: tf.Tensor, strength: float, draws: Draws) -> tf.Tensor:
    """Change the contrast of each image about its mean, and the mean: (x - m)·(1 + c) + m·(1 + b)."""
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    contrast, brightness = (
        draws.changes[:, column, tf.newaxis, tf.newaxis, tf.newaxis] * strength for column in (4, 5)
    )
    # Multiplied out, which spares the pixels two passes.
    return tf.clip_by_value(images * (1.0 + contrast) + mean * (brightness - contrast), 0.0, 255.0)


def mixup(images: tf.Tensor, targets: tf.Tensor, share: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Blend each image, and its target, with its neighbour in the batch (Zhang et al., arXiv 1710.09412).

    Args:
        images: N×H×W×C float32.
        targets: N×K float32, one-hot, times the images' weights if they have any.
        share: [N] float32; what is left of each image.
    """
    wide, flat = share[:, tf.newaxis, tf.newaxis, tf.newaxis], share[:, tf.newaxis]
    return (
        wide * images + (1.0 - wide) * tf.roll(images, 1, axis=0),
        flat * targets + (1.0 - flat) * tf.roll(targets, 1, axis=0),
    )
