from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.training.augmentation import Draws, augment, draw, mixup
from components.training.options import OnlineAugmentOptions, TrainOptions

NOTHING: dict[str, Any] = {"flip": False, "rotation": 0.0, "zoom": 0.0, "shift": 0.0, "contrast": 0.0}


def drawn(count: int, options: TrainOptions, *, seed: int = 1, epoch: int = 0, key: int = 2) -> Draws:
    return draw(tf.range(count), options, seed, tf.constant(epoch, tf.int64), tf.constant(key, tf.int64))


def images(count: int = 16) -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).uniform(0, 255, (count, 12, 10, 3)), tf.float32)


def draw_and_augment(pictures: tf.Tensor, options: OnlineAugmentOptions, **which: int) -> tf.Tensor:
    return augment(pictures, options, drawn(len(pictures), TrainOptions(augment=options), **which))


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


def test_an_image_is_mirrored_in_every_other_epoch_wherever_it_stands_in_a_batch() -> None:
    first, second, third = (drawn(1000, TrainOptions(), epoch=epoch, key=epoch).mirror.numpy() for epoch in range(3))

    assert np.array_equal(first, ~second)
    assert np.array_equal(first, third)
    assert 450 < first.sum() < 550
    backwards = draw(tf.range(999, -1, -1), TrainOptions(), 1, tf.constant(0, tf.int64), tf.constant(7, tf.int64))
    assert np.array_equal(backwards.mirror.numpy()[::-1], first)
    assert not np.array_equal(drawn(1000, TrainOptions(), seed=2).mirror.numpy(), first)


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
    assert not np.allclose(first, draw_and_augment(images(), options, seed=3))
    assert not np.allclose(first, draw_and_augment(images(), options, key=3))


def test_images_of_a_batch_are_changed_independently() -> None:
    same = tf.tile(images(1), (8, 1, 1, 1))

    result = draw_and_augment(same, OnlineAugmentOptions()).numpy()

    assert len({image.tobytes() for image in result}) == 8


def test_mixup_blends_images_and_targets_by_the_same_share() -> None:
    x = tf.reshape(tf.constant([0.0, 100.0, 200.0, 50.0]), (4, 1, 1, 1)) * tf.ones((4, 2, 2, 1))
    y = tf.one_hot([0, 1, 2, 3], 4)

    share = drawn(4, TrainOptions(mixup=0.4)).share
    blended, targets = mixup(x, y, share)

    np.testing.assert_allclose(tf.reduce_sum(targets, axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(blended[:, 0, 0, 0], tf.linalg.matvec(targets, [0.0, 100.0, 200.0, 50.0]), rtol=1e-4)
    assert np.any(targets.numpy().max(axis=1) < 0.99)


def test_draws_are_what_they_have_been() -> None:
    """A seed must give the same training with every version of this project, and on every device."""
    draws = drawn(4, TrainOptions(mixup=0.4))

    assert draws.mirror.numpy().tolist() == [False, True, True, True]
    np.testing.assert_allclose(
        draws.changes[0], [0.59954, -0.812994, -0.702093, -0.24818, 0.107811, 0.835785], atol=1e-6
    )
    np.testing.assert_allclose(draws.share, [0.059536, 0.999969, 0.045329, 0.521438], atol=1e-6)


def test_every_draw_has_a_row_an_image_so_that_devices_can_share_a_batch() -> None:
    assert [len(np.asarray(part)) for part in drawn(5, TrainOptions(mixup=0.4))] == [5, 5, 5]
