"""Centres of receptive fields against what networks do: which lines of an image reach which cells."""

import keras
import numpy as np
import pytest
from planted_network import STEPS, planted_network

from components.models.pretrained import Stem
from components.models.receptive_field import centres


def reached(network: keras.Model, axis: int) -> list[set[int]]:
    """Return for each row (axis 0) or column (axis 1) of the output the lines of the image that it sees."""
    height, width = network.input_shape[1:3]
    length = (height, width)[axis]
    lines = np.zeros((length, height, width, 3), np.float32)
    for index in range(length):
        np.moveaxis(lines[index], axis, 0)[index] = 255.0
    seen = network.predict(lines, verbose=0)[..., 0].max(axis=2 - axis)  # line × cell
    return [set(np.flatnonzero(cell).tolist()) for cell in seen.T]


@pytest.mark.parametrize(
    ("architecture", "stem", "size"),
    [
        ("resnet18", "imagenet", (64, 97)),
        ("resnet18", "small", (49, 32)),
        ("resnet18", "tiny", (32, 33)),
        ("resnet50", "small", (33, 48)),
    ],
)
def test_a_cell_sees_what_lies_around_its_centre(architecture: str, stem: Stem, size: tuple[int, int]) -> None:
    model = planted_network(stem, *size, architecture=architecture)
    network = keras.Model(model.inputs, model.get_layer("avg_pool").input)

    for axis, (places, length) in enumerate(zip(centres(network), size, strict=True)):
        around = (-2, 0, 2) if stem == "imagenet" else (0,)
        expected = [{int(place) + step for step in around} & set(range(length)) for place in places]
        assert reached(network, axis) == expected
        assert places == [float(STEPS[stem] * index) for index in range(len(places))]


def test_an_even_side_is_padded_behind_where_a_layer_leaves_that_to_keras() -> None:
    image = keras.Input((9, 8, 1))
    network = keras.Model(image, keras.layers.Conv2D(1, 3, strides=2, padding="same")(image))

    assert centres(network) == ([0.0, 2.0, 4.0, 6.0, 8.0], [1.0, 3.0, 5.0, 7.0])


def test_branches_that_look_elsewhere_cannot_be_added() -> None:
    image = keras.Input((8, 8, 1))
    shifted = keras.layers.Conv2D(1, 2, strides=2)(image)
    network = keras.Model(image, keras.layers.Add(name="sum")([shifted, keras.layers.Conv2D(1, 1, strides=2)(image)]))

    with pytest.raises(ValueError, match="the inputs of sum look at different places"):
        centres(network)
