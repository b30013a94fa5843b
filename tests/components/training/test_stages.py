"""Fine-tuning in two stages: who learns when, how fast, and that an interruption changes nothing."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import trainer_examples
from numpy.typing import NDArray
from trainer_examples import SHAPES as IMAGE
from trainer_examples import shapes

from components.models import resnets
from components.training.graded import rates
from components.training.input import ImageData
from components.training.optimization import learning_rate, make_optimizer
from components.training.options import ModelOptions, TrainOptions
from components.training.settings import Settings
from components.training.stages import HeadFirst
from components.training.stopping import ReduceOnPlateau, StopEarly
from components.training.training import Trained, Training

TRAIN, EVAL = shapes(48, 0), shapes(24, 1)


@pytest.fixture(autouse=True)
def small_resnet18(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three of the eight blocks, without the widest: a third of the seconds that a training takes."""
    monkeypatch.setattr(resnets, "BLOCKS", {**resnets.BLOCKS, "resnet18": ("basic", (1, 1, 1))})


@pytest.fixture
def source(tmp_path: Path) -> str:
    """The file of a network whose weights and statistics aren't initial ones."""
    model = resnets.ResNet18(5, (32, 32, 3), normalize=True)
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if weight.path.endswith(("gamma", "moving_variance")):
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    path = str(tmp_path / "source.keras")
    model.save(path)
    return path


def settings(source: str, *, l2: float = 0.0, **options: Any) -> Settings:
    defaults: dict[str, Any] = {"batch_size": 16, "epochs": 4, "head_epochs": 2, "warmup_epochs": 1, "layer_decay": 0.5}
    model = ModelOptions(weights=source, dropout=0.3, l2=l2)
    return Settings(model, TrainOptions(**(defaults | {"learning_rate": 1e-3} | options)), IMAGE, seed=3)


def run(
    chosen: Settings,
    *callbacks: keras.callbacks.Callback,
    checkpoint: tuple[Path, str] | None = None,
    images: ImageData = TRAIN,
    **how: Any,
) -> Trained:
    return Training(chosen, images, EVAL, 3, **how).run(callbacks, checkpoint)


def backbone(model: keras.Model) -> dict[str, NDArray[Any]]:
    return {weight.path: weight.numpy() for weight in model.weights if not weight.path.startswith("predictions")}


class Watch(keras.callbacks.Callback):
    """Notes what each epoch ends with."""

    def __init__(self) -> None:
        super().__init__()
        self.backbones: list[dict[str, NDArray[Any]]] = []
        self.heads: list[NDArray[Any]] = []
        self.moments: list[float] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.backbones.append(backbone(self.model))
        self.heads.append(self.model.get_layer("predictions").get_weights()[0])
        moments = [v for v in self.model.optimizer.variables if "momentum" in v.path and "predictions" not in v.path]
        assert len(moments) > 20
        self.moments.append(max(float(np.abs(moment).max()) for moment in moments))


class Killed(keras.callbacks.Callback):
    """Ends the training in the middle of an epoch, as a crash would."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch, self.now = epoch, 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.now = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.now == self.epoch and batch == 1:
            raise KeyboardInterrupt


@pytest.mark.training
def test_the_head_learns_alone_and_then_everything_does(source: str) -> None:
    """Weights and statistics of the backbone stay, and nothing is computed for them: its moments stay zero."""
    watch = Watch()
    loaded = backbone(keras.saving.load_model(source))

    run(settings(source, learning_rate=0.01), watch)

    for epoch in (0, 1):
        for path, value in watch.backbones[epoch].items():
            np.testing.assert_array_equal(value, loaded[path], err_msg=path)
    assert watch.moments[:2] == [0.0, 0.0] < watch.moments[2:]
    assert not np.array_equal(watch.heads[0], watch.heads[1])
    changed = [path for path, value in watch.backbones[2].items() if not np.array_equal(value, loaded[path])]
    assert {path.split("/")[0] for path in changed} == {path.split("/")[0] for path in loaded}
    assert {path.rpartition("/")[2] for path in changed} >= {"kernel", "gamma", "moving_mean", "moving_variance"}


@pytest.mark.training
def test_penalties_are_no_part_of_the_validation_loss_in_either_stage(source: str) -> None:
    """Those of the backbone begin to count when it begins to learn."""
    plain, penalized = (run(settings(source, l2=l2, learning_rate=1e-6)).history for l2 in (0.0, 1e-3))

    for a, b in zip(plain, penalized, strict=True):
        assert b["val_loss"] == pytest.approx(a["val_loss"], abs=0.05)


@pytest.mark.training
@pytest.mark.parametrize("epoch", [1, 2, 3], ids=["alone", "at the boundary", "together"])
@pytest.mark.parametrize(
    "options",
    [{}, {"schedule": "plateau", "optimizer": "sgd", "warmup_epochs": 0, "patience": 3}],
    ids=["adamw-cosine", "sgd-plateau"],
)
def test_an_interruption_of_either_stage_changes_nothing(
    source: str, tmp_path: Path, epoch: int, options: dict[str, Any]
) -> None:
    chosen = settings(source, **options)
    whole = run(chosen)
    with pytest.raises(KeyboardInterrupt):
        run(chosen, Killed(epoch), checkpoint=(tmp_path, "x"))

    continued = run(chosen, checkpoint=(tmp_path, "x"))

    for a, b in zip(whole.model.get_weights(), continued.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert [row["val_loss"] for row in whole.history] == [row["val_loss"] for row in continued.history]


@pytest.mark.training
def test_scaled_losses_go_through_both_stages(source: str) -> None:
    watch = Watch()

    run(settings(source, epochs=2, head_epochs=1, warmup_epochs=0), watch, images=shapes(16, 0), precision="float16")

    assert watch.moments[0] == 0.0 < watch.moments[1]


def test_rates_fall_towards_the_input() -> None:
    paths = ["conv1_conv/kernel", "conv2_block3_out_bn/gamma", "conv5_block1_1_conv/kernel", "predictions/bias"]

    assert rates(paths, 0.5) == [1 / 32, 1 / 16, 1 / 2, 1.0]
    assert rates(paths, 1.0) == [1.0] * 4


def variables() -> list[keras.Variable]:
    """One each of the stem, of conv5 and of the head, all ones."""
    found = []
    for scope in ("conv1_conv", "conv5_block1_1_conv", "predictions"):
        with keras.name_scope(scope):
            found.append(keras.Variable(np.ones(3, "float32"), name="kernel"))
    return found


def options(**changes: Any) -> TrainOptions:
    return TrainOptions(**({"schedule": "constant", "learning_rate": 0.1, "epochs": 10} | changes))


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_steps_and_decay_follow_the_rates(optimizer: str) -> None:
    expected = 0.1 * np.array([1 / 32, 1 / 2, 1.0])
    for decay, gradient in ((0.0, 1.0), (0.5, 0.0)):
        made = make_optimizer(options(optimizer=optimizer, layer_decay=0.5, weight_decay=decay or 1e-9), 5)
        ours = variables()
        made.build(ours)

        made.apply([np.full(3, gradient, "float32")] * 3, ours)

        moved = np.array([1.0 - variable.numpy()[0] for variable in ours])
        np.testing.assert_allclose(moved, expected * (decay or 1.0), rtol=1e-4)


def test_adams_first_steps_of_the_backbone_are_those_of_a_new_adam() -> None:
    """However many the head has taken before: uncorrected, the first would be three times as large."""
    graded = make_optimizer(options(optimizer="adam", head_epochs=4), 50)
    plain = keras.optimizers.Adam(0.1, beta_2=options().beta_2)
    ours, theirs = variables(), variables()
    graded.build(ours)
    plain.build(theirs)
    gradients = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")

    for _ in range(200):
        graded.apply([gradients[0]], ours[2:])
    head = graded.iterations.numpy(), ours[2].numpy()
    for gradient in gradients:
        graded.apply([gradient] * 3, ours)
        plain.apply([gradient] * 3, theirs)

    assert head[0] == 200
    for a, b in zip(ours[:2], theirs[:2], strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4)
    assert not np.allclose(ours[2].numpy() - head[1], theirs[2].numpy() - 1.0, rtol=0.1)  # it goes on as it was


def test_the_cosine_begins_with_the_second_stage() -> None:
    schedule = learning_rate(options(schedule="cosine", head_epochs=3, warmup_epochs=2), 5)
    assert callable(schedule)
    rate = [float(schedule(step)) for step in range(51)]

    assert rate[:15] == [pytest.approx(0.1)] * 15
    assert rate[15] <= 0.1 / 10
    assert rate[25] == pytest.approx(0.1)
    assert rate[50] == pytest.approx(0.0, abs=1e-6)


def test_patience_begins_again_with_the_second_stage() -> None:
    model = resnets.ResNet18(3, (32, 32, 3))
    model.compile(loss="mse")
    stopping, plateau = StopEarly(5), ReduceOnPlateau()
    callback = HeadFirst(2, stopping, plateau, None)
    callback.set_model(model)
    waited, trained = [], []

    for epoch in range(4):
        stopping.waited = plateau.waited = 4
        callback.on_epoch_begin(epoch)
        waited.append((stopping.waited, plateau.waited))
        trained.append(len(model.trainable_weights))

    assert waited == [(4, 4), (4, 4), (0, 0), (4, 4)]
    assert trained == [2, 2, 38, 38]


TWO_DEVICES = """
import sys; sys.path[:0] = {paths!r}
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import pathlib, numpy as np, test_stages as t
t.resnets.BLOCKS = {{**t.resnets.BLOCKS, "resnet18": ("basic", (1, 1, 1))}}
def run(*callbacks, **options):
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    return t.run(t.settings({source!r}, epochs=3, head_epochs=1), *callbacks, strategy=strategy, **options)
state = (pathlib.Path("."), "x")
"""

INTERRUPTED = """
watch = t.Watch()
np.savez("whole.npz", *run(watch).model.get_weights())
print("MOMENTS", watch.moments[0] == 0.0 < watch.moments[1])
try:
    run(t.Killed(epoch=2), checkpoint=state)
except KeyboardInterrupt:
    print("KILLED")
"""

CONTINUED = """
pairs = zip(np.load("whole.npz").values(), run(checkpoint=state).model.get_weights(), strict=True)
print("DIFFERENCE", max(float(abs(a - b).max()) for a, b in pairs))
"""


@pytest.mark.training
def test_two_devices_go_through_both_stages_and_an_interruption(source: str, tmp_path: Path) -> None:
    """In two processes, as a resumed run is: TensorFlow numbers the exchanges of devices from 100 in each strategy."""
    start = TWO_DEVICES.format(
        paths=[str(Path(file).parent) for file in (__file__, trainer_examples.__file__)], source=source
    )
    path = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])

    for script, expected in ((INTERRUPTED, ["MOMENTS True", "KILLED"]), (CONTINUED, ["DIFFERENCE 0.0"])):
        done = subprocess.run(
            [sys.executable, "-c", start + script],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": path},
        )
        found = [line for line in done.stdout.splitlines() if line.startswith(("MOMENTS", "KILLED", "DIFFERENCE"))]
        assert found == expected, done.stderr[-2000:]
