import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy import ndimage

from components.images.appearance import brightness, sharpness


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    noise = np.random.default_rng(3).integers(0, 256, (12, 16, 3), np.uint8)
    return Image.fromarray(noise).resize((160, 120), Image.Resampling.BICUBIC)


def test_brightness_is_the_mean_of_pillows_grey(photo: Image.Image) -> None:
    assert brightness(np.asarray(photo)) == pytest.approx(np.asarray(photo.convert("L")).mean(), abs=0.5)
    assert brightness(np.asarray(photo.convert("L"))) == pytest.approx(np.asarray(photo.convert("L")).mean(), abs=1e-4)


def test_blue_is_darker_than_green() -> None:
    colours = np.zeros((2, 4, 5, 3), np.uint8)
    colours[0, ..., 2] = colours[1, ..., 1] = 255
    assert [round(brightness(colour)) for colour in colours] == [29, 150]


def test_sharpness_is_the_variance_of_scipys_laplacian(photo: Image.Image) -> None:
    grey = np.asarray(photo.convert("L"))
    reference = ndimage.laplace(grey.astype(np.float64), mode="mirror").var()
    assert sharpness(grey, *grey.shape) == pytest.approx(reference, rel=1e-5)


def test_a_blurred_picture_is_less_sharp(photo: Image.Image) -> None:
    values = [sharpness(np.asarray(photo.filter(ImageFilter.GaussianBlur(radius))), 96, 96) for radius in (0, 1, 2, 4)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 3 * values[3]


def test_a_picture_of_one_colour_has_no_sharpness() -> None:
    assert sharpness(np.full((40, 30, 3), 77, np.uint8), 32, 32) == 0.0


def test_a_picture_and_its_enlargement_are_about_as_sharp_to_a_model(photo: Image.Image) -> None:
    large = photo.resize((640, 480), Image.Resampling.BICUBIC)
    assert sharpness(np.asarray(large), 96, 96) == pytest.approx(sharpness(np.asarray(photo), 96, 96), rel=0.1)
