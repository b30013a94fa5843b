"""Encoded bytes to the pixels that a network takes, without TensorFlow, as `components.training.decoding` has them.

JPEG, PNG or BMP as an ImageDataset holds them in; H×W×C uint8 out, of the size and channels of the `image` options.
What is done here in single precision, and in which order, is what TensorFlow does: where a sum lies on the half between
two levels, the last bit decides how it is rounded.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from components.images.codec import BadImage, Pixels, decode
from components.images.options import ImageOptions

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG"
_ANY_NUMBER = 2**31  # of pixels
_ONE = np.float32(1)
_HALF = np.float32(0.5)
# Luma of red, green and blue: libpng's, in 32768ths, and those of `tf.image.rgb_to_grayscale`.
_LIBPNG = np.array([9797, 19234, 3737], np.int64)
_TENSORFLOW = np.array([0.2989, 0.5870, 0.1140], np.float32)


def model_input(data: bytes, image: ImageOptions) -> Pixels:
    """Decode one image and bring it to the size of `image`.

    Args:
        data: as `codec.for_tensorflow` returns them; who made them so has looked at their size.
        image: size and channels.

    Raises:
        BadImage: they can't be decoded.
    """
    pixels = decode(data, _ANY_NUMBER).pixels
    if image.channels == 1 and pixels.ndim == 3:
        pixels = _grey(data, pixels)
    elif image.channels == 3 and pixels.ndim == 2:
        pixels = np.repeat(pixels[..., np.newaxis], 3, axis=2)
    return resize(pixels.reshape(*pixels.shape[:2], image.channels), image)


def resize(pixels: Pixels, image: ImageOptions) -> Pixels:
    """Resize H×W×C pixels as `tf.image.resize` does: bilinear, antialiased, rows first; halves to even."""
    if pixels.shape[:2] == (image.height, image.width):
        return pixels
    rows = _scaled(pixels.astype(np.float32), image.height)
    both = _scaled(rows.swapaxes(0, 1), image.width).swapaxes(0, 1)
    return np.asarray(np.clip(np.rint(both), 0, 255), np.uint8)


def _scaled(values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Return `size` rows of N×…: each the mean of those below a triangle, as wide as a row of the fewer ones."""
    count = len(values)
    step = _ONE / (np.float32(size) / np.float32(count))
    width = max(step, _ONE)
    middle = (np.arange(size, dtype=np.float32) + _HALF) * step
    first = np.clip(np.ceil(middle - width - _HALF).astype(int), 0, count - 1)
    last = np.clip(np.floor(middle + width - _HALF).astype(int), 0, count - 1)
    taken = np.arange((last - first).max() + 1)[np.newaxis] + first[:, np.newaxis]
    away = (taken.astype(np.float32) + _HALF - middle[:, np.newaxis]) * (_ONE / width)
    weights = np.where(taken <= last[:, np.newaxis], np.maximum(_ONE - np.abs(away), np.float32(0)), np.float32(0))
    total = np.add.accumulate(weights, axis=1)[:, -1:]  # one after the other
    weights = weights * (_ONE / total)
    taken = np.minimum(taken, count - 1)
    out = np.zeros((size, *values.shape[1:]), np.float32)
    for place in range(taken.shape[1]):
        out += weights[:, place].reshape(-1, *[1] * (values.ndim - 1)) * values[taken[:, place]]
    return out


def _grey(data: bytes, pixels: Pixels) -> Pixels:
    """Return the grey picture of a coloured one, which each of TensorFlow's decoders makes in a way of its own."""
    if data.startswith(_JPEG):  # the file's own luma
        luma = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)
        if luma is None:
            raise BadImage("damaged: OpenCV can't decode it")
        return np.asarray(luma, np.uint8)
    if data.startswith(_PNG):
        return np.asarray((pixels @ _LIBPNG) >> 15, np.uint8)
    return np.asarray(pixels * (_ONE / np.float32(255)) @ _TENSORFLOW * np.float32(255.5), np.uint8)
