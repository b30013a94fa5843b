"""Random changes of a whole batch at once: N×H×W×C float32 in 0–255 in, the same out.

All randomness is stateless: the same seed gives the same changes, so a training that continues after a crash sees what
an uninterrupted one would have seen.
"""

import math

import tensorflow as tf

from components.training.options import OnlineAugmentOptions


def augment(images: tf.Tensor, options: OnlineAugmentOptions, seed: tf.Tensor) -> tf.Tensor:
    """Mirror, turn, zoom and shift each image in one interpolation, and change its contrast and brightness.

    Args:
        images: N×H×W×C float32.
        options: how much of each.
        seed: two int64 numbers that no other batch has.
    """
    count = tf.shape(images)[0]
    draws = tf.unstack(tf.random.stateless_uniform((7, count), seed, minval=-1.0, maxval=1.0))
    if options.flip or options.rotation or options.zoom or options.shift:
        images = _transform(images, options, draws[:5])
    if options.contrast:
        images = _recolour(images, options.contrast, draws[5:])
    return images


def _transform(images: tf.Tensor, options: OnlineAugmentOptions, draws: list[tf.Tensor]) -> tf.Tensor:
    height, width = images.shape[1], images.shape[2]
    mirror = tf.where(draws[0] < 0.0, -1.0, 1.0) if options.flip else tf.ones_like(draws[0])
    angle = draws[1] * (options.rotation * math.pi / 180.0)
    # Zooming out is as likely as zooming in by the same factor.
    scale = tf.exp(draws[2] * math.log1p(options.zoom))
    # The operation maps output to input coordinates: about the centre, turn, mirror and scale, then shift.
    a, b = mirror * tf.cos(angle) / scale, -mirror * tf.sin(angle) / scale
    c, d = tf.sin(angle) / scale, tf.cos(angle) / scale
    x0, y0 = (width - 1) / 2.0, (height - 1) / 2.0
    shift_x = x0 - a * x0 - b * y0 + draws[3] * options.shift * width
    shift_y = y0 - c * x0 - d * y0 + draws[4] * options.shift * height
    zeros = tf.zeros_like(a)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([a, b, shift_x, c, d, shift_y, zeros, zeros], axis=1),
        output_shape=(height, width),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )


def _recolour(images: tf.Tensor, strength: float, draws: list[tf.Tensor]) -> tf.Tensor:
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    contrast, brightness = (draw[:, tf.newaxis, tf.newaxis, tf.newaxis] * strength for draw in draws)
    return tf.clip_by_value((images - mean) * (1.0 + contrast) + mean * (1.0 + brightness), 0.0, 255.0)


def mixup(images: tf.Tensor, targets: tf.Tensor, alpha: float, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Blend each image, and its target, with its neighbour in the batch (Zhang et al., arXiv 1710.09412).

    Args:
        images: N×H×W×C float32.
        targets: N×K float32, one-hot, times the images' weights if they have any.
        alpha: of the symmetric Beta distribution that the share of an image is drawn from.
        seed: two int64 numbers that no other batch has.
    """
    gammas = tf.random.stateless_gamma((2, tf.shape(images)[0]), seed, alpha)
    share = gammas[0] / (gammas[0] + gammas[1])
    wide, flat = share[:, tf.newaxis, tf.newaxis, tf.newaxis], share[:, tf.newaxis]
    return (
        wide * images + (1.0 - wide) * tf.roll(images, 1, axis=0),
        flat * targets + (1.0 - flat) * tf.roll(targets, 1, axis=0),
    )
