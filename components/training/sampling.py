"""Affine resampling of a batch, spelled in two ways: N×H×W×C float32 and N×8 transforms in, N×H×W×C float32 out.

TensorFlow's kernel is the fast one on a processor, and on a GPU without XLA, which has no kernel for that operation.
In a program that XLA compiles the gathers become one kernel.
"""

from collections.abc import Callable

import tensorflow as tf

Sampler = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def by_kernel(images: tf.Tensor, transforms: tf.Tensor) -> tf.Tensor:
    """Look up each output pixel between four input pixels; beyond the edge the image is reflected."""
    changed = tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )
    return tf.ensure_shape(changed, images.shape)


def by_gathers(images: tf.Tensor, transforms: tf.Tensor) -> tf.Tensor:
    """Do as `by_kernel`, in operations that XLA compiles."""
    count, height, width, channels = tf.unstack(tf.shape(images))
    x = tf.range(width, dtype=tf.float32)[tf.newaxis, tf.newaxis, :]
    y = tf.range(height, dtype=tf.float32)[tf.newaxis, :, tf.newaxis]
    a, b, c, d, e, f, *_ = (value[:, tf.newaxis, tf.newaxis] for value in tf.unstack(transforms, axis=1))
    column, right = _between(a * x + b * y + c, width)
    row, low = _between(d * x + e * y + f, height)
    next_column, next_row = tf.minimum(column + 1, width - 1), tf.minimum(row + 1, height - 1)
    pixels = tf.reshape(images, (-1, channels))
    first = tf.range(count)[:, tf.newaxis, tf.newaxis] * (height * width)

    def read(row: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
        return tf.gather(pixels, first + row * width + column)

    upper = (1.0 - right) * read(row, column) + right * read(row, next_column)
    lower = (1.0 - right) * read(next_row, column) + right * read(next_row, next_column)
    return tf.ensure_shape((1.0 - low) * upper + low * lower, images.shape)


def _between(position: tf.Tensor, length: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Reflect positions into the image ([dcba|abcd|dcba]); return the pixel before each, and the way from there."""
    size = tf.cast(length, tf.float32)
    position = tf.math.floormod(position, 2.0 * size)
    position = tf.where(position >= size, 2.0 * size - 1.0 - position, position)
    position = tf.clip_by_value(position, 0.0, size - 1.0)
    before = tf.floor(position)
    return tf.cast(before, tf.int32), (position - before)[..., tf.newaxis]
