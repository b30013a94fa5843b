"""Pixels as a network takes them, against TensorFlow's own decoding in the graph."""

import cv2
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from components.images.codec import Encoding, encode
from components.images.model_input import model_input
from components.images.options import ImageOptions
from components.training.decoding import decode_image


def picture(height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Noise over a gradient: every level occurs, and colours are full."""
    rng = np.random.default_rng(height * width)
    noise = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    pixels = cv2.addWeighted(noise, 0.7, cv2.GaussianBlur(noise, (9, 9), 0), 0.3, 0)
    return np.asarray(pixels if channels == 3 else pixels[..., 0], np.uint8)


# Made smaller, larger, both, by whole numbers and others, many times smaller, and left alone.
@pytest.mark.parametrize("size", [(192, 192), (64, 64), (37, 211), (500, 333), (33, 40), (96, 96), (1, 5)])
@pytest.mark.parametrize("encoding", ["png", "jpeg", "bmp"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("of_file", [1, 3])
def test_pixels_are_those_of_the_graph(size: tuple[int, int], encoding: Encoding, channels: int, of_file: int) -> None:
    image = ImageOptions.model_validate({"height": 96, "width": 96, "channels": channels})
    data = encode(picture(*size, of_file), encoding, quality=90)

    np.testing.assert_array_equal(model_input(data, image), decode_image(tf.constant(data), image))
