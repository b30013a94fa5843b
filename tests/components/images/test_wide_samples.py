"""Samples of more than 8 bits, floats and signed numbers as pictures that show something."""

import io
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from components.images.codec import BadImage, decode
from components.images.wide_samples import to_eight_bits

LEVELS = np.arange(256).reshape(16, 16)


def saved(image: Image.Image, file_format: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(LEVELS / 255, id="0 … 1"),
        pytest.param(LEVELS / 127.5 - 1, id="-1 … 1"),
        pytest.param(LEVELS.astype(np.float32), id="0 … 255"),
        pytest.param(LEVELS * 4095 / 255, id="0 … 4095"),
        pytest.param(LEVELS * 65535 / 255, id="0 … 65535"),
        pytest.param(LEVELS * 1e30, id="huge"),
        pytest.param(LEVELS * 1e-9, id="nearly black"),
        pytest.param(1 - LEVELS[::-1, ::-1] * 1e-6, id="nearly white"),
        pytest.param(LEVELS * 3.0 - 2000, id="below 0"),
        pytest.param(LEVELS.astype(np.uint16), id="8 bits in 16"),
        pytest.param(LEVELS.astype(np.uint16) << 2, id="10 bits in 16"),
        pytest.param(LEVELS.astype(np.uint16) << 4, id="12 bits in 16"),
        pytest.param(LEVELS.astype(np.uint16) << 6, id="14 bits in 16"),
        pytest.param(LEVELS.astype(np.uint16) * 257, id="16 bits"),
        pytest.param(LEVELS.astype(np.uint32) << 24, id="32 bits"),
        pytest.param((LEVELS * 257 - 32768).astype(np.int16), id="16 bits with a sign"),
    ],
)
def test_every_range_in_use_gives_the_whole_range_of_levels(samples: Any) -> None:
    assert np.array_equal(to_eight_bits(samples), LEVELS)


def test_a_dim_picture_stays_as_dim_as_its_range_says() -> None:
    assert to_eight_bits(np.array([[0.0, 0.3]])).tolist() == [[0, 76]]
    assert to_eight_bits(np.array([[0, 20_000]], np.uint16)).tolist() == [[0, 78]]
    assert to_eight_bits(np.array([[100, 1400]], np.uint16)).tolist() == [[6, 87]]


def test_levels_beyond_the_range_and_gaps_are_shown() -> None:
    samples = np.array([[-0.02, 1.03, np.nan, np.inf, -np.inf, 0.5]], np.float32)

    assert to_eight_bits(samples).tolist() == [[0, 255, 0, 255, 0, 128]]


@pytest.mark.parametrize("value", [0.5, 7, 100_000, -3])
def test_a_constant_picture_stays_constant(value: float) -> None:
    assert len(np.unique(to_eight_bits(np.full((4, 4), value)))) == 1


def test_a_few_levels_are_stretched() -> None:
    assert to_eight_bits(np.array([[0, 1, 2]], np.uint16)).tolist() == [[0, 128, 255]]


def test_nothing_but_gaps_is_no_picture() -> None:
    with pytest.raises(BadImage, match="no sample is a finite number"):
        decode(saved(Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF"))


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_grey_with_few_of_16_bits_is_shown(file_format: str, bits: int) -> None:
    samples = LEVELS.astype(np.uint16) << (bits - 8)

    assert np.array_equal(decode(saved(Image.fromarray(samples), file_format)).pixels, LEVELS)


@pytest.mark.parametrize("extension", [".png", ".tiff"])
@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_colours_with_few_of_16_bits_are_shown(extension: str, bits: int) -> None:
    colours = np.stack([LEVELS, LEVELS.T, LEVELS[::-1]], axis=-1)
    done, encoded = cv2.imencode(extension, (colours.astype(np.uint16) << (bits - 8))[..., ::-1])

    assert done
    assert np.array_equal(decode(encoded.tobytes()).pixels, colours)


@pytest.mark.parametrize("opaque", [4095, 65535])
def test_transparent_colours_with_few_of_16_bits_are_shown_on_white(opaque: int) -> None:
    colours = np.stack([LEVELS, LEVELS.T, LEVELS[::-1]], axis=-1).astype(np.uint16) << 4
    alpha = np.full((16, 16, 1), opaque, np.uint16)
    alpha[:8] = 0
    done, encoded = cv2.imencode(".png", np.concatenate([colours[..., ::-1], alpha], axis=2))

    pixels = decode(encoded.tobytes()).pixels

    assert done
    assert (pixels[:8] == 255).all()
    assert np.array_equal(pixels[8:], colours[8:] >> 4)


@pytest.mark.parametrize(
    ("samples", "named"),
    [
        (np.zeros((4, 4, 3), np.float32), "3 bands of 32 bits, float"),
        (np.zeros((4, 4, 3), np.float64), "3 bands of 64 bits, float"),
    ],
)
def test_a_tiff_whose_samples_cannot_be_shown_names_them(samples: Any, named: str) -> None:
    done, encoded = cv2.imencode(".tiff", samples, [cv2.IMWRITE_TIFF_COMPRESSION, cv2.IMWRITE_TIFF_COMPRESSION_NONE])

    assert done
    with pytest.raises(BadImage, match=f"samples that can't be shown: TIFF with {named}; convert it"):
        decode(encoded.tobytes())
