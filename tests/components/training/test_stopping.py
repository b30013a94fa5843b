import keras
import numpy as np
import pytest

from components.training.stopping import ReduceOnPlateau, StopEarly, StopOnNaN


@pytest.fixture
def model() -> keras.Model:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    return model


def feed(callback: keras.callbacks.Callback, model: keras.Model, losses: list[float]) -> None:
    """Let the callback see these validation losses; the weight is the epoch's number."""
    callback.set_model(model)
    for epoch, loss in enumerate(losses):
        model.set_weights([np.full((1, 1), float(epoch))])
        callback.on_epoch_end(epoch, {"val_loss": loss, "loss": loss})
        if model.stop_training:
            break


def test_the_rate_falls_tenfold_after_the_patience(model: keras.Model) -> None:
    feed(ReduceOnPlateau(factor=0.1, patience=2), model, [3.0, 2.0, 2.5, 2.5])
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)

    feed(ReduceOnPlateau(factor=0.1, patience=2), model, [3.0, 2.0, 2.5, 1.0, 1.5])
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)


def test_a_plateau_goes_on_from_its_state(model: keras.Model) -> None:
    first, second = ReduceOnPlateau(patience=2), ReduceOnPlateau(patience=2)
    feed(first, model, [3.0, 4.0])
    second.restore(first.state())

    feed(second, model, [4.0])

    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)


def test_training_stops_after_the_patience_and_the_best_weights_come_back(model: keras.Model) -> None:
    stop = StopEarly(patience=2)

    feed(stop, model, [3.0, 1.0, 2.0, 5.0, 0.5])
    stop.on_train_end()

    assert model.stop_training
    assert stop.best_epoch == 1
    assert model.get_weights()[0] == 1.0


def test_a_lucky_epoch_is_neither_the_best_nor_the_end(model: keras.Model) -> None:
    stop = StopEarly(patience=4)

    feed(stop, model, [2.0, 1.9, 1.0, 1.7, 1.6, 1.5, 1.4, 1.3])

    assert not model.stop_training
    assert stop.best_epoch == 7


def test_losses_before_the_best_ones_do_not_delay_them(model: keras.Model) -> None:
    stop = StopEarly(patience=None)

    feed(stop, model, [1.5, 0.5, 0.6, 0.7, 0.8, 0.9])

    assert stop.best_epoch == 2  # at 0.6: the single 0.5 may be luck


@pytest.mark.parametrize("losses", [[float("nan"), 2.0, 1.0], [2.0, float("nan"), 1.5], [2.0, 1.0, float("nan")]])
def test_an_epoch_without_a_finite_loss_is_never_the_best(model: keras.Model, losses: list[float]) -> None:
    stop = StopEarly(patience=None)

    feed(stop, model, losses)

    assert np.isfinite(losses[stop.best_epoch])
    assert np.isfinite(stop.best)


def test_without_patience_training_goes_on_and_the_best_weights_come_back(model: keras.Model) -> None:
    stop = StopEarly(patience=None)

    feed(stop, model, [1.0, *[2.0] * 30])
    stop.on_train_end()

    assert not model.stop_training
    assert model.get_weights()[0] == 0.0


def test_a_shrinking_penalty_is_no_improvement() -> None:
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_regularizer=keras.regularizers.L2(1.0))]
    )
    model.compile(keras.optimizers.SGD(1.0), "mse")
    stop, plateau = StopEarly(patience=9), ReduceOnPlateau(patience=9)
    x = np.ones((4, 1))
    for epoch, weight in enumerate([20.0, 10.0]):
        model.set_weights([np.full((1, 1), weight)])
        loss = model.evaluate(x, x * 16.0, verbose=0)  # an error of 16, then of 36, beside penalties of 400 and 100
        for callback in (stop, plateau):
            callback.set_model(model)
            callback.on_epoch_end(epoch, {"val_loss": loss})

    assert stop.best_epoch == 0
    assert [stop.best, plateau.best] == pytest.approx([16.0, 16.0])
    assert plateau.waited == 1


def test_early_stopping_goes_on_from_its_state(model: keras.Model) -> None:
    first, second = StopEarly(patience=3), StopEarly(patience=3)
    feed(first, model, [1.0, 2.0, 2.0])
    second.restore(first.state(), first.arrays)

    feed(second, model, [5.0])
    second.on_train_end()

    assert second.finished
    assert model.get_weights()[0] == 0.0


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_names_epoch_and_rate(model: keras.Model, loss: float) -> None:
    stop = StopOnNaN("Try something else.")
    stop.set_model(model)
    stop.on_epoch_begin(4)

    with pytest.raises(
        FloatingPointError, match=r"became (nan|inf) in epoch 5 at a learning rate of 1\. Try something else\."
    ):
        stop.on_train_batch_end(0, {"loss": loss})
