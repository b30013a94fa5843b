"""HOG by its properties: what Dalal & Triggs' features are and aren't changed by."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from components.images.codec import encode
from components.simple_baselines.hog import FEATURES, SIDE, hog, small_grey


def picture(seed: int = 0, height: int = SIDE, width: int = SIDE) -> NDArray[np.uint8]:
    """Smooth blobs between 40 and 200."""
    noise = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), max(height, width) / 16)
    return (40 + 160 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)


def grey(pixels: np.ndarray) -> NDArray[np.uint8]:
    return pixels.astype(np.uint8)


def directions(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How much of all gradients each of the 9 directions has."""
    return hog(pixels).reshape(-1, 9).sum(axis=0)


def test_there_are_36_features_a_block_of_which_none_is_beyond_1() -> None:
    found = hog(picture())

    assert found.shape == (FEATURES,) == (5 * 5 * 36,)
    assert 0 <= found.min() < found.max() <= 1
    # Each block's 36 values have length 1, but for what is cut off at 0.2 before that.
    np.testing.assert_allclose(np.linalg.norm(found.reshape(25, 36), axis=1), 1, atol=3e-3)


def test_neither_brightness_nor_contrast_changes_them() -> None:
    pixels = grey(picture() // 4 * 2)  # even, and below 101

    np.testing.assert_allclose(hog(grey(pixels + 50)), hog(pixels), atol=1e-6)
    # OpenCV adds a little to each block's length, so that noise isn't blown up.
    np.testing.assert_allclose(hog(grey(pixels // 2)), hog(pixels), atol=0.015)
    np.testing.assert_allclose(hog(grey(255 - pixels)), hog(pixels), atol=1e-6)  # directions have no sign


@pytest.mark.parametrize("level", [0, 127, 255])
def test_one_colour_has_none(level: int) -> None:
    assert not hog(np.full((SIDE, SIDE), level, np.uint8)).any()


def test_stripes_count_in_the_direction_across_them() -> None:
    upright = np.tile(np.repeat(np.array([50, 200], np.uint8), 6), SIDE // 12)
    upright = np.ascontiguousarray(np.broadcast_to(upright, (SIDE, SIDE)))

    across, along = directions(upright), directions(np.ascontiguousarray(upright.T))

    # From 0 to 180 degrees: horizontal gradients are shared by the first and the last direction.
    assert across[[0, 8]].sum() > 0.99 * across.sum()
    assert along[4] > 0.99 * along.sum()


@pytest.mark.parametrize("times", [2, 4, 8, 16])
def test_a_larger_image_in_colour_is_the_same_as_its_small_grey_one(times: int) -> None:
    large = cv2.resize(picture(), (times * SIDE, times * SIDE), interpolation=cv2.INTER_CUBIC)
    in_colour = encode(np.stack([large] * 3, axis=-1), "png")
    # From 4 times on, a JPEG is decoded at a fraction of its size.
    as_jpeg = small_grey(encode(large, "jpeg"), times * SIDE)

    small = small_grey(in_colour, times * SIDE)

    assert small is not None
    assert as_jpeg is not None
    assert np.abs(small.astype(int) - picture()).max() <= 6
    assert np.abs(as_jpeg.astype(int) - small).max() <= 6


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (2000, 3), (48, 48), (5, 5)])
def test_every_size_gives_as_many(height: int, width: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width), dtype=np.uint8)

    small = small_grey(encode(pixels, "png"), min(height, width))

    assert small is not None
    assert np.isfinite(hog(small)).all()


def test_what_is_no_image_is_none() -> None:
    assert small_grey(b"no image", 48) is None
