from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from on_gpu import needs_gpu, needs_no_gpu

from components.models import convolution
from components.models.convolution import Conv2D

CASES = [
    {"strides": 1, "padding": "same", "size": (3, 3)},
    {"strides": 1, "padding": "same", "size": (2, 4)},
    {"strides": 2, "padding": "valid", "size": (7, 7)},
    {"strides": 2, "padding": "valid", "size": (6, 5)},
    {"strides": 1, "padding": "valid", "size": (5, 5)},
]


def bfloat16(values: np.ndarray) -> np.ndarray:
    """Return the values as bfloat16 holds them."""
    return tf.cast(tf.cast(values, tf.bfloat16), tf.float32).numpy()


def pair(strides: int, padding: str, policy: str, channels: int = 16) -> tuple[keras.Layer, keras.Layer]:
    """Return our layer and Keras' with the same random variables, which bfloat16 holds exactly."""
    layers = [
        cls(24, 3, strides=strides, padding=padding, dtype=policy, name="conv") for cls in (Conv2D, keras.layers.Conv2D)
    ]
    for layer in layers:
        layer.build((None, 8, 8, channels))
    values = [bfloat16(np.random.default_rng(0).normal(0.0, 0.1, weight.shape)) for weight in layers[0].weights]
    for layer in layers:
        layer.set_weights(values)
    return layers[0], layers[1]


def gradients(layer: keras.Layer, x: tf.Variable) -> tuple[tf.Tensor, list[tf.Tensor]]:
    @tf.function
    def compute() -> tuple[tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            y = layer(x)
            weights = tf.cast(tf.random.stateless_normal(tf.shape(y), (1, 2)), tf.bfloat16)  # as it flows back
            loss = tf.reduce_sum(tf.cast(y, tf.float32) * tf.cast(weights, tf.float32))
        return y, tape.gradient(loss, [x, *(weight.value for weight in layer.weights)])

    y, found = compute()
    return y, found


@needs_no_gpu
@pytest.mark.parametrize("case", CASES)
def test_outputs_equal_keras_and_gradients_the_exact_ones(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []
    original = convolution.filter_gradient

    def counted(*args: Any) -> Any:
        used.append(args)
        return original(*args)

    monkeypatch.setattr(convolution, "filter_gradient", counted)
    x = tf.Variable(bfloat16(np.random.default_rng(1).normal(size=(4, *case["size"], 16))))
    ours, theirs = pair(case["strides"], case["padding"], "mixed_bfloat16")
    _, exact = pair(case["strides"], case["padding"], "float32")

    (y, actual), (expected_y, _), (_, expected) = gradients(ours, x), gradients(theirs, x), gradients(exact, x)

    assert used
    np.testing.assert_array_equal(tf.cast(y, tf.float32), tf.cast(expected_y, tf.float32))
    for a, b in zip(actual, expected, strict=True):
        # Kernels round partial sums to bfloat16's eight bits, on some processors more often than on others: Keras' own
        # are up to 0.019 of the largest value off.
        np.testing.assert_allclose(a, b, rtol=0, atol=2**-5 * float(tf.reduce_max(tf.abs(b))))


@pytest.mark.parametrize(
    ("size", "strides", "padding", "policy"),
    [
        ((3, 3), 1, "same", "float32"),
        ((12, 12), 1, "same", "mixed_bfloat16"),
        ((6, 6), 2, "same", "mixed_bfloat16"),
        ((5, 5), 3, "valid", "mixed_bfloat16"),
    ],
)
def test_elsewhere_keras_computes(
    size: tuple[int, int], strides: int, padding: str, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convolution, "convolve", None)
    x = tf.Variable(np.random.default_rng(1).normal(size=(4, *size, 16)).astype("float32"))
    ours, theirs = pair(strides, padding, policy)

    for a, b in zip(gradients(ours, x)[1], gradients(theirs, x)[1], strict=True):
        np.testing.assert_array_equal(a, b)


@needs_gpu
@pytest.mark.parametrize("case", CASES)
def test_on_a_gpu_keras_computes(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "convolve", None)
    x = tf.Variable(np.random.default_rng(1).normal(size=(4, *case["size"], 16)).astype("float32"))

    gradients(pair(case["strides"], case["padding"], "mixed_bfloat16")[0], x)


def test_variables_and_config_equal_keras() -> None:
    ours, theirs = pair(1, "same", "float32")

    assert [weight.path for weight in ours.weights] == [weight.path for weight in theirs.weights]
    assert ours.get_config() == theirs.get_config()


@pytest.mark.parametrize("swap", [False, True])
def test_weights_saved_by_one_layer_load_into_the_other(tmp_path: Path, swap: bool) -> None:
    classes = [keras.layers.Conv2D, Conv2D][:: -1 if swap else 1]
    source, target = (keras.Sequential([keras.Input((8, 8, 3)), cls(4, 3, padding="same")]) for cls in classes)
    source.save_weights(tmp_path / "x.weights.h5")

    target.load_weights(tmp_path / "x.weights.h5")

    for a, b in zip(source.get_weights(), target.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
