import itertools
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.training.augmentation import augment, draw
from components.training.options import OnlineAugmentOptions, TrainOptions
from components.training.sampling import Sampler, by_gathers, by_kernel

RNG = np.random.default_rng(0)
IMAGES = tf.constant(RNG.uniform(0, 255, (16, 24, 20, 3)), tf.float32)
COMPILED = tf.function(by_gathers, jit_compile=True)
VALUES: dict[str, tuple[Any, Any]] = {
    "flip": (False, True),
    "rotation": (0.0, 180.0),
    "zoom": (0.0, 0.5),
    "shift": (0.0, 0.9),
    "contrast": (0.0, 0.4),
}


@pytest.mark.parametrize("sampler", [by_gathers, COMPILED], ids=["eager", "xla"])
@pytest.mark.parametrize("chosen", itertools.product((0, 1), repeat=5), ids=lambda chosen: "".join(map(str, chosen)))
def test_augmentation_by_gathers_equals_that_by_the_kernel(sampler: Sampler, chosen: tuple[int, ...]) -> None:
    options = OnlineAugmentOptions(**{name: VALUES[name][which] for name, which in zip(VALUES, chosen, strict=True)})
    draws = draw(tf.range(16), TrainOptions(augment=options), 1, tf.constant(0, tf.int64), tf.constant(2, tf.int64))

    expected, actual = (augment(IMAGES, options, draws, chosen_one) for chosen_one in (by_kernel, sampler))

    np.testing.assert_allclose(actual, expected, atol=0.01)


@pytest.mark.parametrize("distance", [1.0, 30.0, 300.0])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_lies_far_beyond_the_edge_is_reflected_alike(distance: float, channels: int) -> None:
    transforms = np.zeros((16, 8), np.float32)
    transforms[:, :6] = np.eye(2, 3).reshape(6) + RNG.normal(0.0, 0.3, (16, 6))
    transforms[:, [2, 5]] += RNG.normal(0.0, distance, (16, 2))

    pictures = IMAGES[..., :channels]
    expected, actual = by_kernel(pictures, tf.constant(transforms)), COMPILED(pictures, tf.constant(transforms))

    np.testing.assert_allclose(actual, expected, atol=0.02)
