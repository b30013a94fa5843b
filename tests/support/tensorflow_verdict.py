"""What becomes of a file in the codec and, behind it, in the decoders that training and serving use."""

import numpy as np
import tensorflow as tf

from components.images.codec import BadImage, decode, for_tensorflow
from components.images.options import ImageOptions
from components.training.decoding import decode_image


def verdict(data: bytes) -> str:
    """Return what the codec does with a file or, where it keeps one wrongly, what TensorFlow does."""
    try:
        picture = decode(data)
    except BadImage:
        return "unusable"
    stored, _ = for_tensorflow(data, picture)
    height, width = picture.pixels.shape[:2]
    size = ImageOptions.model_construct(height=height, width=width, channels=3)
    try:
        shown = decode_image(tf.constant(stored), size).numpy()
    except tf.errors.InvalidArgumentError:
        return "refused"
    expected = picture.pixels if picture.pixels.ndim == 3 else np.repeat(picture.pixels[..., np.newaxis], 3, axis=2)
    if not picture.keep:
        return "encoded again"
    return "kept" if np.array_equal(shown, expected) else "different"
