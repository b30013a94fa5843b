"""Whole trainings as a GPU runs them: pixels changed in the step, compiled, several steps at once. Any device can."""

from pathlib import Path
from typing import Any

import keras
import pytest
import tensorflow as tf
from on_gpu import needs_gpu
from test_training import EVAL, TRAIN, UNBALANCED, Killed, difference, on_two_devices, settings, small_resnet18
from trainer_examples import shapes

from components.training import network
from components.training.checkpoint import FILE_NAME
from components.training.device_feed import DeviceFeed
from components.training.execution import Execution
from components.training.imbalance import correction_of
from components.training.input import ImageData
from components.training.options import TrainOptions
from components.training.settings import Settings
from components.training.training import Trained, Training

__all__ = ["small_resnet18"]  # a fixture

GPU = Execution(on_device=True, jit_compile=True, steps=4, train="device", evaluation="device")
PLAIN = Execution()
OUTCOMES = ("loss", "accuracy", "val_loss", "val_accuracy")


def run(
    chosen: Settings,
    execution: Execution,
    *callbacks: keras.callbacks.Callback,
    checkpoint: tuple[Path, str] | None = None,
    images: ImageData = TRAIN,
) -> Trained:
    evaluation = shapes(19, 1)  # which no batch size divides
    return Training(chosen, images, evaluation, 3, execution=execution).run(callbacks, checkpoint)


def outcomes(trained: Trained) -> list[float]:
    return [row[name] for row in trained.history for name in OUTCOMES]


@pytest.mark.training
@pytest.mark.parametrize("options", [{}, {"mixup": 0.3, "imbalance": "effective"}, {"imbalance": "logit_adjustment"}])
def test_a_gpus_way_of_training_gives_what_a_processors_gives(options: dict[str, Any]) -> None:
    # Without dropout, for which XLA draws other numbers.
    chosen = settings({"dropout": 0.0}, epochs=3, batch_size=8, optimizer="sgd", learning_rate=1e-3, **options)
    images = UNBALANCED if "imbalance" in options else TRAIN

    # An image of 48 may be taken for another.
    assert outcomes(run(chosen, GPU, images=images)) == pytest.approx(
        outcomes(run(chosen, PLAIN, images=images)), abs=0.03
    )


@pytest.mark.training
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_xla_compiles_a_training_in_every_precision(precision: str) -> None:
    chosen = settings({"dropout": 0.3}, epochs=1, warmup_epochs=0, batch_size=16)

    trained = Training(chosen, TRAIN, EVAL, 3, precision=precision, execution=GPU).run()

    assert trained.history[0]["val_loss"] < 2.0
    assert {weight.dtype for weight in trained.model.weights} == {"float32"}


@pytest.mark.training
@pytest.mark.parametrize("place", ["device", "host"])
def test_an_epoch_whose_steps_no_execution_divides_is_whole(place: Any) -> None:
    chosen = settings(epochs=2, batch_size=9)  # five steps: three and two
    several = Execution(True, False, 3, place, place)

    trained = run(chosen, several)

    assert difference(trained, run(chosen, PLAIN)) < 1e-3
    assert difference(trained, run(chosen, Execution(True, False, 1, place, place))) == 0.0


@pytest.mark.training
def test_compiled_executions_continue_exactly_where_they_were_interrupted(tmp_path: Path) -> None:
    chosen = settings({"dropout": 0.3}, epochs=3, batch_size=8, mixup=0.2)
    execution = Execution(True, True, 2, "device", "device")
    whole = run(chosen, execution)
    with pytest.raises(KeyboardInterrupt):
        run(chosen, execution, Killed(epoch=2), checkpoint=(tmp_path, "x"))
    assert (tmp_path / FILE_NAME).exists()

    continued = run(chosen, execution, checkpoint=(tmp_path, "x"))

    assert difference(whole, continued) == 0.0
    assert outcomes(whole) == outcomes(continued)


class Counted(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.executions = 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.executions += 1


@pytest.mark.training
def test_a_loss_that_is_nan_ends_the_training_with_the_execution() -> None:
    wild = settings(batch_size=4, optimizer="sgd", learning_rate=1e30, schedule="constant", warmup_epochs=0)
    counted = Counted()

    with pytest.raises(FloatingPointError, match="in epoch 1 at a learning rate of 1e\\+30"):
        run(wild, GPU, counted)

    assert counted.executions == 1  # of three in an epoch


@pytest.mark.training
def test_compiling_is_shown_once_and_is_no_part_of_the_speed(capsys: pytest.CaptureFixture[str]) -> None:
    trained = run(settings(epochs=2, batch_size=4), GPU)

    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Compil")]
    assert [line.split(" in ")[0] for line in lines] == [
        "Compiling the training step …",
        "Compiled the training step",
        "Compiling the evaluation step …",
        "Compiled the evaluation step",
    ]
    first, second = trained.history
    assert 0.0 < first["compile_seconds"] < first["seconds"]
    assert second["compile_seconds"] == 0.0
    assert first["images_per_second"] > 3 * 48 / first["seconds"]


def test_xla_has_nothing_to_add_up_in_any_order() -> None:
    """A scatter would: TensorFlow refuses to compile some of them where deterministic kernels are asked for."""
    options = TrainOptions(batch_size=8, optimizer="sgd")
    feed = DeviceFeed(TRAIN, EVAL, 3, options, 8, 0, GPU, tf.distribute.get_strategy())
    model = feed.model(
        network.build_model(settings().model, 3, (32, 32, 3)), correction_of(TRAIN.labels, None, 3, options)
    )
    model.compile(optimizer="sgd", loss=keras.losses.CategoricalCrossentropy(from_logits=True))
    model.optimizer.build(model.trainable_variables)
    (batch, *_) = feed.training
    model.train_step(batch)  # makes the variables of the metrics

    program = tf.function(model.train_step, jit_compile=True).experimental_get_compiler_ir(batch)(stage="hlo")

    assert "convolution" in program
    assert "scatter" not in program


MIRRORED = """
from components.training.execution import Execution
t.EVAL = t.shapes(17, 1)  # of the last batch, nothing is left to the second device
chosen = t.settings({"dropout": 0.3}, epochs=2, batch_size=8)
single = t.run(chosen, strategy=mirrored(), execution=Execution(True, False, 1, "host", "host"))
several = {"strategy": mirrored(), "execution": Execution(True, False, 2, "device", "device")}
whole = t.run(chosen, **several)
with pytest.raises(KeyboardInterrupt):
    t.run(chosen, t.Killed(epoch=1), checkpoint=(pathlib.Path("."), "x"), **several)
again = t.run(chosen, checkpoint=(pathlib.Path("."), "x"), **several)
print("FOUND", t.difference(whole, single), t.difference(whole, again), len(whole.history))
"""


@pytest.mark.training
def test_two_devices_run_several_steps_at_once_on_images_of_their_own(tmp_path: Path) -> None:
    result = on_two_devices(MIRRORED, tmp_path)

    found = [line.split()[1:] for line in result.stdout.splitlines() if line.startswith("FOUND")]
    assert found == [["0.0", "0.0", "2"]], result.stderr[-2000:]


@needs_gpu
@pytest.mark.training
def test_two_trainings_on_a_gpu_are_equal() -> None:
    chosen = settings({"dropout": 0.3}, epochs=2)

    assert difference(run(chosen, GPU), run(chosen, GPU)) == 0.0
