from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.training.adam import Adam, AdamW
from components.training.optimization import current_learning_rate, learning_rate, make_optimizer
from components.training.options import TrainOptions


def options(**changes: Any) -> TrainOptions:
    return TrainOptions(**({"epochs": 10, "warmup_epochs": 2, "learning_rate": 0.1} | changes))


def rates(train_options: TrainOptions, steps: int = 5) -> list[float]:
    schedule = learning_rate(train_options, steps)
    assert callable(schedule)
    return [float(schedule(step)) for step in range(train_options.epochs * steps + 1)]


def test_cosine_warms_up_in_epochs_then_falls_to_zero() -> None:
    rate = rates(options())

    assert rate[0] <= 0.1 / 10
    assert rate[10] == pytest.approx(0.1)
    assert rate[30] == pytest.approx(0.05, rel=1e-3)
    assert rate[50] == pytest.approx(0.0, abs=1e-6)
    assert max(rate) == rate[10]


def test_cosine_without_warm_up_starts_at_the_peak() -> None:
    assert rates(options(warmup_epochs=0))[0] == pytest.approx(0.1)


def test_a_single_epoch_warms_up_for_half_of_its_steps() -> None:
    rate = rates(options(epochs=1, warmup_epochs=1), steps=10)

    assert max(rate) == rate[5] == pytest.approx(0.1)


@pytest.mark.parametrize("schedule", ["plateau", "constant"])
def test_other_schedules_start_from_a_constant_rate(schedule: str) -> None:
    assert learning_rate(options(schedule=schedule), 5) == 0.1


@pytest.mark.parametrize(
    ("name", "kind"),
    [("sgd", keras.optimizers.SGD), ("adam", Adam), ("adamw", AdamW)],
)
def test_each_optimizer_starts_at_the_rate_of_the_options(name: str, kind: type) -> None:
    optimizer = make_optimizer(options(optimizer=name, schedule="constant"), 5)

    assert type(optimizer) is kind
    assert current_learning_rate(optimizer) == pytest.approx(0.1)


def test_sgd_gets_momentum_and_nesterov() -> None:
    optimizer = make_optimizer(options(optimizer="sgd", momentum=0.8, nesterov=True), 5)

    assert (optimizer.momentum, optimizer.nesterov) == (0.8, True)


def test_weight_decay_shrinks_kernels_only() -> None:
    optimizer = make_optimizer(options(schedule="constant", weight_decay=0.5), 5)
    kernel, bias, gamma = (keras.Variable(np.ones(3, "float32"), name=name) for name in ("kernel", "bias", "gamma"))

    optimizer.apply([keras.ops.zeros(3)] * 3, [kernel, bias, gamma])

    np.testing.assert_allclose(kernel, 0.95, rtol=1e-6)
    np.testing.assert_array_equal(bias, 1.0)
    np.testing.assert_array_equal(gamma, 1.0)


def test_float16_gradients_are_scaled() -> None:
    optimizer = make_optimizer(options(schedule="constant"), 5, precision="float16")

    assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    assert current_learning_rate(optimizer) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("options", "epochs"),
    [
        ({"schedule": "cosine"}, None),
        ({"schedule": "plateau"}, 10),
        ({"schedule": "cosine", "patience": 3}, 3),
    ],
)
def test_only_a_cosine_goes_on_to_the_end_by_itself(options: dict[str, Any], epochs: int | None) -> None:
    assert TrainOptions(**options).epochs_without_gain == epochs


@pytest.mark.parametrize(
    ("ours", "keras_own"), [(Adam, keras.optimizers.Adam), (AdamW, keras.optimizers.AdamW)], ids=["adam", "adamw"]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_adam_in_one_pass_is_that_of_keras(ours: Any, keras_own: Any, dtype: str) -> None:
    rng = np.random.default_rng(0)
    gradients = [rng.normal(0.0, 10.0 ** rng.uniform(-4, 2), (50, 3)) for _ in range(20)]

    def trained(kind: Any) -> list[Any]:
        optimizer = kind(keras.optimizers.schedules.CosineDecay(0.01, 20))
        variable = keras.Variable(np.ones((50, 3)), dtype=dtype)
        optimizer.build([variable])
        step = tf.function(lambda gradient: optimizer.apply([gradient], [variable]))
        for gradient in gradients:
            step(tf.constant(gradient, dtype))
        return [variable.numpy(), *(one.numpy() for one in optimizer.variables)]

    for mine, theirs in zip(trained(ours), trained(keras_own), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)
