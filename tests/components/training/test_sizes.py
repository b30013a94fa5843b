from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.training.options import TrainOptions
from components.training.sizes import Shrink, size_in


def sizes(*schedule: tuple[float, float], epochs: int = 10, size: tuple[int, int] = (96, 96)) -> list[tuple[int, int]]:
    options = TrainOptions(epochs=epochs, size_schedule=schedule)
    return [size_in(epoch, options, size) for epoch in range(epochs)]


def test_the_first_epochs_are_smaller_and_the_last_ones_whole() -> None:
    assert sizes((0.8, 2 / 3)) == [(64, 64)] * 8 + [(96, 96)] * 2
    assert sizes((0.5, 0.5), (0.7, 0.75)) == [(48, 48)] * 5 + [(72, 72)] * 2 + [(96, 96)] * 3
    assert sizes() == [(96, 96)] * 10


def test_no_side_becomes_smaller_than_the_network_takes() -> None:
    assert sizes((0.9, 0.5), size=(48, 32)) == [(32, 32)] * 9 + [(48, 32)]
    assert sizes((0.9, 0.5), size=(200, 100)) == [(100, 50)] * 9 + [(200, 100)]


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "xla"])
@pytest.mark.parametrize("size", [(64, 64), (40, 61)])
def test_shrinking_equals_tensorflows_antialiased_resizing(size: tuple[int, int], compiled: bool) -> None:
    images = tf.constant(np.random.default_rng(0).uniform(0, 255, (4, 96, 80, 3)), tf.float32)
    layer = Shrink()
    layer.size = size
    call = tf.function(lambda images: layer(images, training=True), jit_compile=compiled)

    np.testing.assert_allclose(call(images), tf.image.resize(images, size, antialias=True), atol=0.01)


def test_what_judges_sees_whole_images() -> None:
    layer = Shrink()
    layer.size = (32, 32)
    images = tf.zeros((1, 96, 96, 3))

    assert layer(images, training=False) is images


@pytest.mark.parametrize("schedule", [[[0.8, 0.5], [0.5, 0.7]], [[0.5, 0.0]], [[0.5, 0.5], [0.5, 0.7]], [[1.5, 0.5]]])
def test_an_impossible_schedule_is_refused(schedule: Any) -> None:
    with pytest.raises(ValueError, match="size_schedule"):
        TrainOptions(size_schedule=schedule)
