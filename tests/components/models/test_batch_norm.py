from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.models.batch_norm import BatchNormalization

PRECISIONS = ["float32", "mixed_bfloat16"]
# bfloat16 has 8 significant bits; the sums over a batch are in float32 in both layers.
TOLERANCE: dict[str, dict[str, Any]] = {
    "float32": {"rtol": 1e-4, "atol": 1e-4},
    "mixed_bfloat16": {"rtol": 2e-2, "atol": 4e-2},
}


def pair(policy: str, **options: Any) -> tuple[keras.Layer, keras.Layer]:
    """Return our layer and Keras' with the same random variables."""
    rng = np.random.default_rng(0)
    layers = [cls(epsilon=1.001e-5, momentum=0.9, dtype=policy, **options) for cls in LAYERS]
    for layer in layers:
        layer.build((None, 6, 5, 7))
    values = [rng.uniform(0.5, 2.0, weight.shape) for weight in layers[0].weights]
    for layer in layers:
        layer.set_weights(values)
    return layers[0], layers[1]


LAYERS = (BatchNormalization, keras.layers.BatchNormalization)


def batch(seed: int, size: int = 4) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).normal(1.0, 3.0, (size, 6, 5, 7)), tf.float32)


@pytest.mark.parametrize("policy", PRECISIONS)
@pytest.mark.parametrize("training", [True, False])
def test_outputs_equal_keras(policy: str, training: bool) -> None:
    ours, theirs = pair(policy)

    actual, expected = ours(batch(1), training=training), theirs(batch(1), training=training)

    assert actual.dtype == expected.dtype == ours.compute_dtype
    np.testing.assert_allclose(tf.cast(actual, "float32"), tf.cast(expected, "float32"), **TOLERANCE[policy])


@pytest.mark.parametrize("policy", PRECISIONS)
@pytest.mark.parametrize("training", [True, False])
def test_gradients_equal_keras(policy: str, training: bool) -> None:
    gradients = []
    for layer in pair(policy):
        x = tf.Variable(batch(2))
        with tf.GradientTape() as tape:
            y = tf.cast(layer(x, training=training), "float32")
            loss = tf.reduce_sum(y * batch(3))
        gradients.append(tape.gradient(loss, [x, *(v.value for v in layer.trainable_weights)]))

    for actual, expected in zip(*gradients, strict=True):
        scale = float(tf.reduce_max(tf.abs(expected)))
        np.testing.assert_allclose(actual / scale, expected / scale, **TOLERANCE[policy])


@pytest.mark.parametrize("policy", PRECISIONS)
def test_moving_statistics_equal_keras_over_several_steps(policy: str) -> None:
    ours, theirs = pair(policy)

    for step in range(5):
        ours(batch(step), training=True)
        theirs(batch(step), training=True)

    tolerance = 1e-5 if policy == "float32" else 1e-2
    for actual, expected in zip(ours.non_trainable_weights, theirs.non_trainable_weights, strict=True):
        np.testing.assert_allclose(actual.numpy(), expected.numpy(), rtol=tolerance)


def test_the_moving_variance_is_that_of_the_batch_not_of_a_sample() -> None:
    layer = BatchNormalization(momentum=0.0)
    x = batch(0, size=1)

    layer(x, training=True)

    np.testing.assert_allclose(layer.moving_variance.numpy(), np.var(x, axis=(0, 1, 2)), rtol=1e-5)


def test_variables_and_config_equal_keras() -> None:
    ours, theirs = (layer(name="bn", momentum=0.9) for layer in LAYERS)
    for layer in (ours, theirs):
        layer.build((None, 6, 5, 7))

    assert [weight.path for weight in ours.weights] == [weight.path for weight in theirs.weights]
    assert ours.get_config() == theirs.get_config()


def model(layer: type[keras.Layer]) -> keras.Model:
    inputs = keras.Input((6, 5, 7))
    return keras.Model(inputs, layer(name="bn")(keras.layers.Conv2D(7, 3, name="conv")(inputs)))


@pytest.mark.parametrize("swap", [False, True])
def test_weights_saved_by_one_layer_load_into_the_other(tmp_path: Path, swap: bool) -> None:
    source, target = (model(layer) for layer in (LAYERS[::-1] if swap else LAYERS))
    source.get_layer("bn").set_weights([np.random.default_rng(0).uniform(1, 2, (7,)) for _ in range(4)])
    source.save_weights(tmp_path / "x.weights.h5")

    target.load_weights(tmp_path / "x.weights.h5")

    np.testing.assert_allclose(target(batch(0)), source(batch(0)), rtol=1e-5, atol=1e-5)


def test_a_saved_model_comes_back_with_our_layer(tmp_path: Path) -> None:
    source = model(BatchNormalization)
    source.save(tmp_path / "x.keras")

    loaded = keras.saving.load_model(tmp_path / "x.keras")

    assert type(loaded.get_layer("bn")) is BatchNormalization
    np.testing.assert_array_equal(loaded(batch(0)), source(batch(0)))


def test_a_frozen_layer_uses_its_moving_statistics_in_training() -> None:
    layer, _ = pair("float32")
    layer.trainable = False
    before = [weight.numpy() for weight in layer.weights]

    np.testing.assert_array_equal(layer(batch(0), training=True), layer(batch(0), training=False))
    for weight, value in zip(layer.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


@pytest.mark.parametrize(
    ("options", "shape"),
    [({"axis": 1}, (4, 6, 5, 7)), ({"scale": False}, (4, 6, 5, 7)), ({"center": False}, (4, 6, 5, 7)), ({}, (4, 7))],
)
def test_where_the_kernel_does_not_apply_keras_computes(options: dict[str, Any], shape: tuple[int, ...]) -> None:
    x = tf.constant(np.random.default_rng(0).normal(1.0, 3.0, shape), tf.float32)
    ours, theirs = (layer(**options) for layer in LAYERS)

    np.testing.assert_array_equal(ours(x, training=True), theirs(x, training=True))


def uses_fused_kernel(layer: keras.Layer, x: tf.Tensor) -> bool:
    graph = tf.function(lambda: layer(x, training=True)).get_concrete_function().graph
    return any("FusedBatchNorm" in operation.type for operation in graph.get_operations())


@pytest.mark.parametrize("policy", PRECISIONS)
def test_the_graph_holds_the_fused_kernel_in_the_compute_dtype(policy: str) -> None:
    ours, theirs = pair(policy)

    assert uses_fused_kernel(ours, batch(0))
    assert not uses_fused_kernel(theirs, batch(0))
