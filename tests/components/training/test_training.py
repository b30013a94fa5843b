"""Whole trainings of ResNet-18 on tiny images: what it learns, and that an interrupted one ends where it should."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import trainer_examples
from numpy.typing import NDArray
from trainer_examples import SHAPES as IMAGE
from trainer_examples import shapes

from components.models import resnets
from components.training import network, sizes, training
from components.training.checkpoint import FILE_NAME
from components.training.input import ImageData
from components.training.options import Architecture, ModelOptions, TrainOptions
from components.training.settings import Settings
from components.training.stopping import ReduceOnPlateau
from components.training.trackers import TrackEpochs, Tracker
from components.training.training import Trained, Training, deterministic_ops

TRAIN, EVAL = shapes(48, 0), shapes(24, 1)
UNBALANCED = ImageData((), np.where(np.arange(48) < 40, 0, TRAIN.labels), IMAGE, TRAIN.images)


def shrink_resnet18() -> None:
    """Three of the eight blocks, without the widest: a third of the seconds that a training takes."""
    resnets.BLOCKS["resnet18"] = ("basic", (1, 1, 1))  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def small_resnet18(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resnets, "BLOCKS", dict(resnets.BLOCKS))
    shrink_resnet18()


def settings(model: dict[str, Any] | None = None, **options: Any) -> Settings:
    defaults: dict[str, Any] = {"batch_size": 16, "epochs": 4, "warmup_epochs": 1, "learning_rate": 1e-3}
    return Settings(ModelOptions(**(model or {})), TrainOptions(**(defaults | options)), IMAGE, seed=3)


def run(
    chosen: Settings,
    *callbacks: keras.callbacks.Callback,
    checkpoint: tuple[Path, str] | None = None,
    trackers: Sequence[Tracker] = (),
    images: ImageData = TRAIN,
    **options: Any,
) -> Trained:
    one = Training(chosen, images, EVAL, 3, **options)
    return one.run([*callbacks, TrackEpochs(trackers, one.history)], checkpoint)


def weights(trained: Trained) -> list[NDArray[Any]]:
    return [np.asarray(value) for value in trained.model.get_weights()]


def difference(a: Trained, b: Trained) -> float:
    return max(float(np.abs(x - y).max()) for x, y in zip(weights(a), weights(b), strict=True))


class Killed(keras.callbacks.Callback):
    """Ends the training in the middle of an epoch, as a crash would."""

    def __init__(self, epoch: int, batch: int = 1) -> None:
        super().__init__()
        self.epoch, self.batch, self.now = epoch, batch, 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.now = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.now == self.epoch and batch == self.batch:
            raise KeyboardInterrupt


class Epochs:
    """A tracker that notes which epochs it was told of."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def epoch(self, number: int, metrics: Any) -> None:
        self.numbers.append(number)

    def confusion(self, labels: Any, matrix: Any) -> None: ...

    def finish(self, summary: Any, model: str) -> None: ...

    def fail(self) -> None: ...


@pytest.mark.training
@pytest.mark.parametrize(
    ("options", "precision"),
    [
        ({"epochs": 5, "mixup": 0.2}, "float32"),
        (
            {"epochs": 5, "schedule": "plateau", "optimizer": "sgd", "learning_rate": 0.05, "warmup_epochs": 0},
            "float32",
        ),
        ({"epochs": 6, "patience": 2, "schedule": "constant", "warmup_epochs": 0}, "float32"),
        ({"epochs": 3, "batch_size": 8}, "float16"),
        ({"epochs": 5, "size_schedule": [[0.6, 0.7]]}, "float32"),
    ],
    ids=["cosine-adamw-mixup", "plateau-sgd", "early-stopping", "loss-scaling", "sizes"],
)
def test_an_interrupted_training_ends_exactly_like_an_uninterrupted_one(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: dict[str, Any],
    precision: str,
) -> None:
    chosen = settings({"dropout": 0.3}, **options)
    monkeypatch.setattr(training, "ReduceOnPlateau", lambda: ReduceOnPlateau(patience=1))
    monkeypatch.setattr(sizes, "MIN_SIZE", 16)  # the images here are no larger than a whole ResNet takes at least
    # A CPU takes ten times as long in float16.
    how: dict[str, Any] = {"precision": precision, "images": shapes(24, 0) if precision == "float16" else TRAIN}
    whole = run(chosen, **how)
    with pytest.raises(KeyboardInterrupt):
        run(chosen, Killed(epoch=2), checkpoint=(tmp_path, "x"), **how)

    tracked = Epochs()
    continued = run(chosen, checkpoint=(tmp_path, "x"), trackers=[tracked], **how)

    assert "Continuing after epoch 2 " in capsys.readouterr().out

    assert difference(whole, continued) == 0.0
    assert continued.best_epoch == whole.best_epoch
    assert tracked.numbers == [row["epoch"] for row in whole.history]  # those before the interruption too
    for a, b in zip(whole.history, continued.history, strict=True):
        assert {k: v for k, v in a.items() if k not in CLOCKS} == {k: v for k, v in b.items() if k not in CLOCKS}


CLOCKS = {"seconds", "images_per_second"}

# Where a process of its own finds this module and what it imports.
PATHS = [str(Path(__file__).parent), str(Path(trainer_examples.__file__).parent)]

CHILD = """
import sys; sys.path[:0] = {tests!r}
import pathlib, time, test_training as t
t.shrink_resnet18()
class Slow(t.Epochs):  # on a fast machine the training would be over before the signal comes
    def epoch(self, number, metrics):
        time.sleep(0.3)
chosen = t.settings({{"dropout": 0.3}}, epochs=10)
t.run(chosen, checkpoint=(pathlib.Path({folder!r}), "x"), trackers=[Slow()])
"""


@pytest.mark.training
def test_after_kill_9_the_training_continues_to_the_same_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = settings({"dropout": 0.3}, epochs=10)
    script = CHILD.format(tests=PATHS, folder=str(tmp_path))
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("epoch  3/"):
            break
    time.sleep(random.uniform(0.0, 0.6))
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert (tmp_path / FILE_NAME).exists()

    continued = run(chosen, checkpoint=(tmp_path, "x"))

    assert re.search(r"Continuing after epoch [2-9] ", capsys.readouterr().out)
    assert difference(run(chosen), continued) == 0.0
    assert len(continued.history) == 10


@pytest.mark.training
def test_what_was_tried_for_some_epochs_goes_on_as_if_never_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = settings({"dropout": 0.3})
    tried = Training(chosen, TRAIN, EVAL, 3).run(checkpoint=(tmp_path / "trial", "x"), until=2)
    assert len(tried.history) == 2

    trained = Training(chosen, TRAIN, EVAL, 3).run(checkpoint=(tmp_path / "own", "y"), begun=(tmp_path / "trial", "x"))

    assert "Continuing after epoch 2 " in capsys.readouterr().out
    assert difference(run(chosen), trained) == 0.0
    assert len(trained.history) == 4


@pytest.mark.training
def test_a_finished_training_is_taken_from_its_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = settings(epochs=2)
    first = run(chosen, checkpoint=(tmp_path, "x"))
    capsys.readouterr()

    again = run(chosen, checkpoint=(tmp_path, "x"))

    output = capsys.readouterr().out
    assert "Continuing after epoch 2 " in output
    assert not re.search(r"^epoch +1/", output, re.MULTILINE)
    assert difference(first, again) == 0.0


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip_a_byte(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(bytes(data))


def assert_started_afresh(output: str) -> None:
    assert "Continuing" not in output
    assert re.search(r"^epoch +1/", output, re.MULTILINE)


@pytest.mark.training
@pytest.mark.parametrize("damage", [truncate, flip_a_byte, lambda file: file.write_bytes(b"")])
def test_a_damaged_checkpoint_is_ignored(tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: Any) -> None:
    chosen = settings(epochs=1, warmup_epochs=0)
    run(chosen, checkpoint=(tmp_path, "x"))
    damage(tmp_path / FILE_NAME)
    capsys.readouterr()

    trained = run(chosen, checkpoint=(tmp_path, "x"))

    assert_started_afresh(capsys.readouterr().out)
    assert len(trained.history) == 1


@pytest.mark.training
def test_a_checkpoint_of_other_options_is_ignored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = settings(epochs=2)
    run(chosen, checkpoint=(tmp_path, "one"))
    capsys.readouterr()

    other = run(chosen, checkpoint=(tmp_path, "other"))

    assert_started_afresh(capsys.readouterr().out)
    assert [row["epoch"] for row in other.history] == [1, 2]


@pytest.mark.training
def test_two_trainings_of_one_seed_are_equal_and_of_another_not() -> None:
    chosen = settings({"dropout": 0.3}, epochs=2)
    first = run(chosen)

    assert difference(first, run(chosen)) == 0.0
    assert difference(first, run(Settings(chosen.model, chosen.train, IMAGE, seed=4))) > 0.0


@pytest.mark.training
def test_the_shapes_are_learnt() -> None:
    trained = Training(settings(epochs=12), shapes(192, 5), EVAL, 3).run()

    assert max(row["val_accuracy"] for row in trained.history) >= 0.8


def test_bfloat16_trains_with_float32_weights() -> None:
    trained = run(settings(epochs=1, warmup_epochs=0), precision="bfloat16")

    assert {weight.dtype for weight in trained.model.weights} == {"float32"}
    assert trained.model.get_layer("conv1_conv").compute_dtype == "bfloat16"


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    wild = settings(optimizer="sgd", learning_rate=1e30, schedule="constant", warmup_epochs=0)

    with pytest.raises(FloatingPointError, match=r"in epoch \d at a learning rate of 1e\+30"):
        run(wild)


@pytest.mark.parametrize(
    "error", [MemoryError("no room"), MemoryError(), tf.errors.ResourceExhaustedError(None, None, "OOM")]
)
def test_out_of_memory_names_the_batch_size(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fit(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(keras.Model, "fit", fit)
    with pytest.raises(MemoryError, match=r"train\.batch_size=16, resnet18 and images of 32×32"):
        run(settings())


@pytest.mark.training
@pytest.mark.parametrize("method", ["effective", "sqrt", "logit_adjustment"])
def test_what_makes_up_for_few_images_changes_the_loss(method: str) -> None:
    plain, changed = (
        Training(settings(epochs=1, warmup_epochs=0, imbalance=one), UNBALANCED, EVAL, 3).run().history[0]["loss"]
        for one in ("none", method)
    )

    assert plain != changed


def test_determinism_ends_with_the_training() -> None:
    from tensorflow.python.util import _pywrap_determinism

    with deterministic_ops(True):
        assert _pywrap_determinism.is_enabled()
    assert not _pywrap_determinism.is_enabled()


DEVICES = """
import sys; sys.path[:0] = {tests!r}
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import functools, pathlib, pytest, test_training as t
from components.models import residual
mirrored = lambda: tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
t.shrink_resnet18()
"""

LOSSES = """
residual.BatchNormalization = functools.partial(residual.BatchNormalization, synchronized=True)
chosen = t.settings({"dropout": 0.0}, epochs=3, optimizer="sgd", learning_rate=0.01, precision="float32")
one = t.run(chosen)
two = t.run(chosen, strategy=mirrored())
for a, b in zip(one.history, two.history):
    print("LOSS", a["loss"], b["loss"], a["val_loss"], b["val_loss"])
"""


RESUMED = """
t.EVAL = t.shapes(17, 1)  # the last batch has an image for one of the devices alone
chosen = t.settings({"dropout": 0.3}, epochs=3, batch_size=15)
whole = t.run(chosen, strategy=mirrored())
copies = [weight.value.values for weight in whole.model.weights]
print("COPIES", max(float(tf.reduce_max(tf.abs(a - b))) for a, b in copies), len(copies))
with pytest.raises(KeyboardInterrupt):
    t.run(chosen, t.Killed(epoch=2), strategy=mirrored(), checkpoint=(pathlib.Path("."), "x"))
continued = t.run(chosen, strategy=mirrored(), checkpoint=(pathlib.Path("."), "x"))
print("DIFFERENCE", t.difference(whole, continued), [row["val_loss"] for row in whole.history]
      == [row["val_loss"] for row in continued.history])
"""


def on_two_devices(script: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    start = DEVICES.format(tests=PATHS)
    path = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-c", start + script],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
    )


@pytest.mark.training
def test_two_devices_keep_one_model_and_continue_an_interrupted_training(tmp_path: Path) -> None:
    result = on_two_devices(RESUMED, tmp_path)

    found = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line[:4] in ("COPI", "DIFF")}
    assert "Continuing after epoch 2 " in result.stdout, result.stderr[-2000:]
    assert float(found["COPIES"][0]) == 0.0
    assert int(found["COPIES"][1]) > 40
    assert found["DIFFERENCE"] == ["0.0", "True"]


def test_more_devices_than_images_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"^2 devices need .* Received: train\.batch_size=1, a split of 48 images$"):
        training._share_batches(settings(batch_size=1).train, 48, 2)


@pytest.mark.training
def test_two_devices_have_the_losses_of_one() -> None:
    """With the batch's statistics taken over both; by default each device normalizes its part by itself."""
    result = on_two_devices(LOSSES)

    losses = [line.split()[1:] for line in result.stdout.splitlines() if line.startswith("LOSS")]
    assert len(losses) == 3, result.stderr[-2000:]
    for row in np.array(losses, float):
        np.testing.assert_allclose(row[[0, 2]], row[[1, 3]], rtol=5e-3)


@pytest.mark.parametrize(
    ("architecture", "wanted", "passes_on"),
    [("resnet34", None, False), ("resnet50", None, True), ("resnet50", False, False), ("resnet18", True, True)],
)
def test_the_deep_ones_begin_with_blocks_that_pass_their_input_on(
    architecture: Architecture, wanted: bool | None, passes_on: bool
) -> None:
    options = ModelOptions(architecture=architecture, zero_init_residual=wanted)

    model = network.build_model(options, 3, (32, 32, 3))

    last = "_3_bn" if architecture == "resnet50" else "_2_bn"
    assert (not model.get_layer(f"conv2_block1{last}").gamma.numpy().any()) == passes_on
