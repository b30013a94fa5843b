"""Encoded bytes to pixels in TensorFlow's graph: the same in training, evaluation and serving.

A string of JPEG, PNG, BMP or GIF (first frame) in; H×W×C uint8 out, of the size and channels of the `image` options.
"""

import tensorflow as tf

from components.images.options import ImageOptions

JPEG_START = b"\xff\xd8\xff"
PNG_START = b"\x89PNG"


def decode_image(data: tf.Tensor, image: ImageOptions) -> tf.Tensor:
    """Decode one image and bring it to the size of `image`, antialiased.

    JPEG goes through the accurate DCT (the fast one, the default of `tf.io.decode_image`, is up to 8 levels off).
    """
    pixels = tf.case(
        [
            (tf.strings.substr(data, 0, 3) == JPEG_START, lambda: _decode_jpeg(data, image.channels)),
            # PNG converts grey and colour itself and reduces 16 bits to 8.
            (tf.strings.substr(data, 0, 4) == PNG_START, lambda: tf.io.decode_png(data, channels=image.channels)),
        ],
        default=lambda: _decode_other(data, image.channels),
    )
    return resize(pixels, image)


def resize(pixels: tf.Tensor, image: ImageOptions) -> tf.Tensor:
    """Resize one H×W×C uint8 image, antialiased, where it hasn't the size of `image` yet."""
    size = (image.height, image.width)

    def scaled() -> tf.Tensor:
        values = tf.image.resize(pixels, size, antialias=True)
        return tf.cast(tf.clip_by_value(tf.round(values), 0.0, 255.0), tf.uint8)

    pixels = tf.cond(tf.reduce_all(tf.shape(pixels)[:2] == size), lambda: pixels, scaled)
    return tf.ensure_shape(pixels, (*size, image.channels))


def _decode_jpeg(data: tf.Tensor, channels: int) -> tf.Tensor:
    return tf.io.decode_jpeg(data, channels=channels, dct_method="INTEGER_ACCURATE")


def _decode_other(data: tf.Tensor, channels: int) -> tf.Tensor:
    """BMP and GIF come in the channels that they have."""
    pixels = tf.io.decode_image(data, expand_animations=False)
    pixels = tf.cond(tf.shape(pixels)[-1] == 1, lambda: tf.repeat(pixels, 3, axis=-1), lambda: pixels[..., :3])
    pixels = tf.ensure_shape(pixels, (None, None, 3))
    return tf.image.rgb_to_grayscale(pixels) if channels == 1 else pixels
