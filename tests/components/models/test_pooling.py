import keras
import numpy as np
import pytest
import tensorflow as tf

from components.models.pooling import MaxPooling2D


def pooled(layer: keras.Layer, inputs: tf.Variable) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the outputs, and the gradient of their weighed sum."""
    with tf.GradientTape() as tape:
        outputs = layer(inputs)
        weights = tf.random.stateless_uniform(tf.shape(outputs), (1, 2))
        loss = tf.reduce_sum(weights * outputs)
    return outputs, tape.gradient(loss, inputs)


@pytest.mark.parametrize(("size", "stride"), [(3, 2), (2, 2), (3, 1), (2, 3)])
@pytest.mark.parametrize("shape", [(9, 9), (8, 11)])
def test_slices_have_the_maxima_and_the_gradients_of_windows(size: int, stride: int, shape: tuple[int, int]) -> None:
    inputs = tf.Variable(np.random.default_rng(0).normal(size=(2, *shape, 3)), dtype=tf.float32)
    ours = MaxPooling2D(size, strides=stride)
    ours.by_slices = True

    for actual, expected in zip(
        pooled(ours, inputs), pooled(keras.layers.MaxPooling2D(size, strides=stride), inputs), strict=True
    ):
        np.testing.assert_allclose(actual, expected, rtol=1e-6)


def test_of_equal_values_the_first_gets_the_gradient_either_way() -> None:
    inputs = tf.Variable(np.random.default_rng(0).integers(0, 2, (2, 9, 9, 3)), dtype=tf.float32)
    ours = MaxPooling2D(3, strides=2)
    ours.by_slices = True

    np.testing.assert_allclose(pooled(ours, inputs)[1], pooled(MaxPooling2D(3, strides=2), inputs)[1], rtol=1e-6)


def test_config_equals_keras_and_the_switch_is_not_saved() -> None:
    ours = MaxPooling2D(3, strides=2, name="pool")
    ours.by_slices = True

    assert ours.get_config() == keras.layers.MaxPooling2D(3, strides=2, name="pool").get_config()
    assert not MaxPooling2D.from_config(ours.get_config()).by_slices
