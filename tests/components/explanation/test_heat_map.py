"""Heat maps of what an exported network says, whose evidence is planted where the test knows it."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from planted_network import STEPS, planted_network
from trainer_examples import encode

from components.explanation.heat_map import AGAINST, FOR, evidence, heat_maps, painted, spread
from components.images.codec import Pixels
from components.images.options import ImageOptions
from components.models.pretrained import Stem
from components.training.export import export

TWICE = 2  # an image as large as what the model is given, and one twice as large


def lit(size: tuple[int, int], row: int, column: int) -> Pixels:
    """Return a dark image with a bright spot around a pixel."""
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3] = 255
    return pixels


@pytest.mark.parametrize(
    ("stem", "size", "flip_average"),
    [
        ("imagenet", (64, 97), False),
        ("imagenet", (65, 96), True),
        ("small", (32, 49), False),
        ("small", (33, 48), True),
        ("tiny", (32, 41), False),
        ("tiny", (33, 40), True),
    ],
)
def test_the_heat_is_where_the_evidence_was_planted(
    tmp_path: Path, stem: Stem, size: tuple[int, int], flip_average: bool
) -> None:
    height, width = size
    step = STEPS[stem]
    export(
        planted_network(stem, height, width),
        str(tmp_path),
        ["dark", "bright"],
        ImageOptions(height=height, width=width),
        2.0,
        {},
        flip_average=flip_average,
    )
    model = tf.saved_model.load(str(tmp_path))
    lowest, rightmost = (height - 1) // step * step, (width - 1) // step * step
    corners = [(0, 0), (0, rightmost), (lowest, 0), (lowest, rightmost), (step, step)]
    if flip_average:  # the mirror image is looked at from its own left side
        corners += [(0, width - 1), (step, width - 1 - step)]
    images = [lit(size, *corner) for corner in corners]
    images.append(images[4].repeat(TWICE, axis=0).repeat(TWICE, axis=1))

    found = model.signatures["explain"](image_bytes=tf.constant([encode(image) for image in images]))

    maps, rows, columns = (found[name].numpy() for name in ("maps", "rows", "columns"))
    for index, (image, corner) in enumerate(zip(images, [*corners, corners[4]], strict=True)):
        scale = image.shape[0] // height
        shape = (image.shape[0], image.shape[1])
        heat, against = (spread(evidence(maps[index])[..., c], rows[index], columns[index], shape) for c in (1, 0))
        row, column = np.unravel_index(heat.argmax(), heat.shape)
        # Constant beyond the last place, where the first pixel that is brightest comes before the spot.
        assert abs(row / scale - corner[0]) <= 1, corner
        assert abs(column / scale - corner[1]) <= 1, corner
        np.testing.assert_allclose(heat, -against)


def test_between_places_heat_is_linear_and_beyond_them_constant() -> None:
    heat = spread(np.array([[[0.0, 1.0]]]), np.array([0.5]), np.array([[0.25, 0.75]]), (2, 8))

    np.testing.assert_allclose(heat, [[0.0, 0.0, 0.125, 0.375, 0.625, 0.875, 1.0, 1.0]] * 2)


def test_orange_speaks_for_and_blue_against_and_grey_is_neither() -> None:
    picture = np.full((1, 3), 100, np.uint8)

    found = painted(picture, np.array([[2.0, 0.0, -2.0]]), 2.0)[0]

    assert found[1].tolist() == [100, 100, 100]
    for pixel, colour in ((found[0], FOR), (found[2], AGAINST)):
        np.testing.assert_allclose(pixel, 0.25 * 100 + 0.75 * np.array(colour), atol=0.5)


def test_classes_that_are_compared_share_a_scale_and_what_all_have_is_no_evidence() -> None:
    maps = np.zeros((1, 1, 2, 3)) + 7.0
    maps[0, 0, 0] += [4.0, 1.0, -5.0]

    strong, weak = heat_maps(np.zeros((2, 2, 3), np.uint8), maps, np.array([0.5]), np.array([[0.25, 0.75]]), (0, 1))

    np.testing.assert_allclose(strong[0, 0], 0.75 * np.array(FOR), atol=0.5)
    np.testing.assert_allclose(weak[0, 0], 0.25**2 * 0.75 * np.array(FOR), atol=0.5)
    assert not strong[0, 1].any()
