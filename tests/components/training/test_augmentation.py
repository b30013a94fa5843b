from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.training.augmentation import augment, draw, mixup
from components.training.options import OnlineAugmentOptions, TrainOptions

NOTHING: dict[str, Any] = {"flip": False, "rotation": 0.0, "zoom": 0.0, "shift": 0.0, "contrast": 0.0}
SEED = tf.constant([1, 2], tf.int64)


def images(count: int = 16) -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).uniform(0, 255, (count, 12, 10, 3)), tf.float32)


def draw_and_augment(pictures: tf.Tensor, options: OnlineAugmentOptions, seed: tf.Tensor = SEED) -> tf.Tensor:
    return augment(pictures, options, draw(len(pictures), TrainOptions(augment=options), seed))


def changed(**options: Any) -> tf.Tensor:
    return draw_and_augment(images(), OnlineAugmentOptions(**(NOTHING | options)))


def test_without_options_images_stay_as_they_are() -> None:
    np.testing.assert_array_equal(changed(), images())


def test_flip_mirrors_some_images_and_leaves_the_others() -> None:
    flipped = changed(flip=True).numpy()

    mirrored = [np.allclose(a, b[:, ::-1], atol=1e-3) for a, b in zip(flipped, images().numpy(), strict=True)]
    same = [np.allclose(a, b, atol=1e-3) for a, b in zip(flipped, images().numpy(), strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 0 < sum(mirrored) < len(mirrored)


@pytest.mark.parametrize("option", [{"rotation": 20.0}, {"zoom": 0.2}, {"shift": 0.2}, {"contrast": 0.3}])
def test_each_option_changes_pixels_within_their_range(option: dict[str, float]) -> None:
    result = changed(**option).numpy()

    assert result.shape == images().shape
    assert not np.allclose(result, images(), atol=1.0)
    assert 0.0 <= result.min() <= result.max() <= 255.0


def test_rotation_turns_about_the_centre() -> None:
    disc = np.zeros((1, 21, 21, 1), np.float32)
    disc[0, 8:13, 8:13] = 255.0

    turned = draw_and_augment(tf.constant(disc), OnlineAugmentOptions(**(NOTHING | {"rotation": 45.0}))).numpy()

    rows, columns = np.indices((21, 21))
    mass = turned[0, :, :, 0]
    centre = [(axis * mass).sum() / mass.sum() for axis in (rows, columns)]
    np.testing.assert_allclose(centre, [10.0, 10.0], atol=0.1)


def test_the_same_seed_changes_alike_and_another_one_differently() -> None:
    options = OnlineAugmentOptions()

    first = draw_and_augment(images(), options)

    np.testing.assert_array_equal(first, draw_and_augment(images(), options))
    assert not np.allclose(first, draw_and_augment(images(), options, SEED + 1))


def test_images_of_a_batch_are_changed_independently() -> None:
    same = tf.tile(images(1), (8, 1, 1, 1))

    result = draw_and_augment(same, OnlineAugmentOptions()).numpy()

    assert len({image.tobytes() for image in result}) == 8


def test_mixup_blends_images_and_targets_by_the_same_share() -> None:
    x = tf.reshape(tf.constant([0.0, 100.0, 200.0, 50.0]), (4, 1, 1, 1)) * tf.ones((4, 2, 2, 1))
    y = tf.one_hot([0, 1, 2, 3], 4)

    share = draw(4, TrainOptions(mixup=0.4), SEED).share
    blended, targets = mixup(x, y, share)

    np.testing.assert_allclose(tf.reduce_sum(targets, axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(blended[:, 0, 0, 0], tf.linalg.matvec(targets, [0.0, 100.0, 200.0, 50.0]), rtol=1e-4)
    assert np.any(targets.numpy().max(axis=1) < 0.99)


def test_draws_are_what_they_have_been() -> None:
    """A seed must give the same training with every version of this project, and on every device."""
    drawn = draw(4, TrainOptions(mixup=0.4), SEED)

    assert drawn.mirror.numpy().tolist() == [False, True, False, True]
    np.testing.assert_allclose(
        drawn.changes[0], [-0.812994, -0.702093, -0.24818, 0.107811, 0.835785, -0.314494], atol=1e-6
    )
    np.testing.assert_allclose(drawn.share, [0.059536, 0.999969, 0.045329, 0.521438], atol=1e-6)


def test_every_draw_has_a_row_an_image_so_that_devices_can_share_a_batch() -> None:
    assert [len(np.asarray(part)) for part in draw(5, TrainOptions(mixup=0.4), SEED)] == [5, 5, 5]
