"""What counts as the same picture: versions of one, and not others."""

import cv2
import numpy as np
import pytest
from explained_data import Pixels, cloud

from components.explanation.same_picture import likeness, small
from components.images.codec import decode, encode

VERSIONS = {
    "encoded": lambda pixels: decode(encode(pixels, "jpeg", 30)).pixels,
    "cropped at the right": lambda pixels: pixels[:, : round(0.92 * pixels.shape[1])],
    "cropped all around": lambda pixels: pixels[3:-3, 3:-3],
    "mirrored": lambda pixels: pixels[:, ::-1],
    "scaled": lambda pixels: cv2.resize(pixels, (40, 48), interpolation=cv2.INTER_AREA),
    "brightened": lambda pixels: np.clip(1.1 * pixels + 10, 0, 255).astype(np.uint8),
    "grey": lambda pixels: cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY),
}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_correlates_and_another_picture_does_not(version: str) -> None:
    pictures = [cloud(seed) for seed in range(6)]

    for index, pixels in enumerate(pictures):
        other: Pixels = np.ascontiguousarray(VERSIONS[version](pixels))
        assert likeness(small(pixels), small(other)) > 0.9
        assert likeness(small(pictures[index - 1]), small(other)) < 0.85


def test_a_picture_without_contrast_looks_like_nothing() -> None:
    flat = np.full((8, 8, 3), 90, np.uint8)

    assert likeness(small(flat), small(flat)) == -1.0


def test_pictures_in_one_light_are_not_one_picture() -> None:
    light = np.linspace(40, 200, 64)[:, np.newaxis, np.newaxis] * np.ones((64, 64, 3))
    first, second = ((light + 0.1 * cloud(seed)).astype(np.uint8) for seed in (0, 1))

    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.95
    assert likeness(small(first), small(second)) < 0.85
    assert likeness(small(first), small(decode(encode(first, "jpeg", 60)).pixels)) > 0.9
