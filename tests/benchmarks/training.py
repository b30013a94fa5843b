"""How fast training and serving are, against what they could be: `python tests/benchmarks/training.py` (6 minutes).

All figures are of one run on this machine. Two candidates of a comparison take their steps in turn, so that load from
elsewhere hits both alike; a ratio is one of medians.

layers               our ResNet-50 against keras.applications', our ResNet-18 against itself of Keras' layers
pytorch              our ResNet-18 against PyTorch's (bfloat16 autocast, channels last), where torch is installed
determinism          a step with TensorFlow's deterministic kernels against one without
fit                  whole epochs, their boundaries included, against the bare step
serving              the SavedModel on encoded images against the bare model on decoded ones, and `predict` on files
"""

import argparse
import importlib.util
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import cv2
import keras
import numpy as np
import tensorflow as tf

from components.images.options import ImageOptions
from components.models import residual, resnets
from components.training.export import export
from components.training.input import ImageData, read_split, steps_per_epoch, training_batches
from components.training.options import OnlineAugmentOptions, TrainOptions
from components.training.precision import dtype_policy
from components.training.training import deterministic_ops
from pipeline.cli.predict import classify_files, load_model

SIZE, CLASSES = 96, 8
SHAPE = (SIZE, SIZE, 3)
Step = Callable[[], Any]


def random_batch(batch: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Images in 0–255 and one-hot labels."""
    rng = np.random.default_rng(0)
    images = tf.constant(rng.integers(0, 256, (batch, *SHAPE)), tf.float32)
    return images, tf.one_hot(rng.integers(0, CLASSES, batch), CLASSES)


def compiled(model: keras.Model, from_logits: bool) -> keras.Model:
    """Compile with what `resnet-paper` uses."""
    loss = keras.losses.CategoricalCrossentropy(from_logits=from_logits)
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), loss, jit_compile=False)
    return model


def step_of(model: keras.Model, batch: int) -> Step:
    """Return a function that does one training step, traced and warmed up."""
    data = random_batch(batch)
    step = tf.function(lambda: model.train_step(data))
    for _ in range(2):
        step()
    return step


def ours(architecture: str, precision: str) -> keras.Model:
    """Build our network, returning logits as in training."""
    with dtype_policy(precision):
        model = resnets.resnet(architecture, CLASSES, SHAPE, classifier_activation=None)
    return compiled(model, from_logits=True)


def with_keras_layer(architecture: str, precision: str) -> keras.Model:
    """Build the same network with Keras' own batch normalization."""
    with mock.patch.object(residual, "BatchNormalization", keras.layers.BatchNormalization):
        return ours(architecture, precision)


def of_keras_layers(architecture: str, precision: str) -> keras.Model:
    """Build the same network of Keras' own layers alone."""
    with mock.patch.object(residual, "Conv2D", keras.layers.Conv2D):
        return with_keras_layer(architecture, precision)


def keras_application(precision: str) -> keras.Model:
    """Build keras.applications' ResNet-50."""
    with dtype_policy(precision):
        model = keras.applications.ResNet50(weights=None, classes=CLASSES, input_shape=SHAPE)
    return compiled(model, from_logits=False)


def in_turn(*steps: Step, rounds: int) -> list[float]:
    """Let the candidates take steps in turn; return the median seconds of each."""
    seconds: list[list[float]] = [[] for _ in steps]
    for _ in range(rounds):
        for taken, step in zip(seconds, steps, strict=True):
            started = time.perf_counter()
            step()
            taken.append(time.perf_counter() - started)
    return [statistics.median(taken) for taken in seconds]


def line(what: str, ratio: float, target: float | None, detail: str) -> None:
    """Print one comparison."""
    goal = f"(target {target:.2f})" if target is not None else ""
    print(f"{what:<58} {ratio:5.2f} {goal:<14} {detail}", flush=True)


def batch_normalization(rounds: int, batch: int) -> None:
    """Compare the fused layer with Keras' in whole training steps."""
    cases = [
        ("ResNet-50", "bfloat16", 1.6, lambda p: keras_application(p), "keras.applications"),
        ("ResNet-50", "float32", 1.25, lambda p: keras_application(p), "keras.applications"),
        ("ResNet-18", "bfloat16", 1.5, lambda p: with_keras_layer("resnet18", p), "Keras' normalization"),
        ("ResNet-18", "float32", 1.15, lambda p: with_keras_layer("resnet18", p), "Keras' normalization"),
        ("ResNet-18", "bfloat16", None, lambda p: of_keras_layers("resnet18", p), "Keras' layers"),
    ]
    for name, precision, target, other, against in cases:
        mine = step_of(ours(name.lower().replace("-", ""), precision), batch)
        fast, slow = in_turn(mine, step_of(other(precision), batch), rounds=rounds)
        detail = f"{batch / fast:.0f} against {batch / slow:.0f} images/s"
        line(f"{name}, {precision}, batch {batch}, against {against}", slow / fast, target, detail)
        keras.backend.clear_session()


def pytorch(rounds: int, batch: int) -> None:
    """Compare with PyTorch, where it is installed."""
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("torchvision") is None:
        print("PyTorch: skipped, torch and torchvision are not installed")
        return
    import torch  # type: ignore[import-not-found,unused-ignore]
    import torchvision  # type: ignore[import-not-found,unused-ignore]

    model = torchvision.models.resnet18(num_classes=CLASSES).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    images = torch.rand(batch, 3, SIZE, SIZE).to(memory_format=torch.channels_last)
    labels = torch.randint(0, CLASSES, (batch,))

    def theirs() -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = torch.nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()

    theirs()
    mine, other = in_turn(step_of(ours("resnet18", "bfloat16"), batch), theirs, rounds=rounds)
    detail = f"{batch / mine:.0f} against {batch / other:.0f} images/s"
    line(f"ResNet-18, bfloat16, batch {batch}, against PyTorch", other / mine, 1.0, detail)


def determinism(rounds: int, batch: int) -> None:
    """Compare steps traced and run with and without deterministic kernels."""
    free = step_of(ours("resnet18", "bfloat16"), batch)
    with deterministic_ops(True):
        fixed = step_of(ours("resnet18", "bfloat16"), batch)

    def deterministic() -> None:
        with deterministic_ops(True):
            fixed()

    fast, slow = in_turn(free, deterministic, rounds=rounds)
    line(
        "ResNet-18, deterministic against not",
        fast / slow,
        0.95,
        f"{slow * 1e3:.0f} against {fast * 1e3:.0f} ms a step",
    )


class Clock(keras.callbacks.Callback):
    """Notes the seconds of each epoch from the last step of the one before, and takes bare steps between epochs."""

    def __init__(self, bare: Step, steps: int) -> None:
        super().__init__()
        self.bare, self.steps = bare, steps
        self.bare_seconds: list[float] = []
        self.seconds: list[float] = []
        self.gaps: list[float] = []
        self.last = time.perf_counter()  # end of the last step, or of the bare steps
        self.waiting = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        passed = time.perf_counter() - self.last
        (seconds,) = in_turn(self.bare, rounds=self.steps)
        self.bare_seconds.append(seconds)
        self.last = self.begun = time.perf_counter() - passed  # what passed before belongs to the epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        now = time.perf_counter()
        if batch == 0:
            self.gaps.append(now - self.begun)
        if batch == self.params["steps"] - 1:
            self.seconds.append(now - self.begun)
        self.last = now


def write_shards(folder: Path, images: int) -> list[str]:
    """Write random JPEG images as two gzip TFRecords."""
    rng = np.random.default_rng(0)
    files = [str(folder / f"data-{shard}.gz") for shard in range(2)]
    for shard, file in enumerate(files):
        with tf.io.TFRecordWriter(file, "GZIP") as writer:
            for number in range(shard, images, 2):
                pixels = cv2.GaussianBlur(rng.integers(0, 256, SHAPE).astype(np.uint8), (5, 5), 0)
                encoded = cv2.imencode(".jpg", pixels)[1].tobytes()
                features = {
                    "image/encoded": tf.train.Feature(bytes_list=tf.train.BytesList(value=[encoded])),
                    "image/class/label": tf.train.Feature(int64_list=tf.train.Int64List(value=[number % CLASSES])),
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
    return files


def fit(batch: int, seconds: float, epochs: int, augmented: bool) -> None:
    """Compare the epochs of a `fit`, boundaries included, with bare steps taken between them."""
    model = ours("resnet18", "bfloat16")
    bare = step_of(model, batch)
    (guess,) = in_turn(bare, rounds=5)
    images = max(2, round(seconds / guess)) * batch
    nothing = OnlineAugmentOptions(flip=False, rotation=0.0, zoom=0.0, shift=0.0, contrast=0.0)
    augment = OnlineAugmentOptions() if augmented else nothing
    options = TrainOptions(epochs=epochs + 1, batch_size=batch, augment=augment)
    with tempfile.TemporaryDirectory() as folder:
        # Reading a tenth and repeating it takes less time, and gives the same epochs.
        part = read_split(write_shards(Path(folder), max(batch, images // 10)), ImageOptions(height=SIZE, width=SIZE))
    repeats = -(-images // len(part))
    data = ImageData(
        (), np.tile(part.labels, repeats)[:images], part.image, tf.tile(part.images, (repeats, 1, 1, 1))[:images]
    )
    steps = steps_per_epoch(data, batch)
    clock = Clock(bare, min(steps, 20))
    batches = training_batches(data, CLASSES, options, 0)
    model.fit(batches, epochs=epochs + 1, steps_per_epoch=steps, verbose=0, callbacks=[clock])
    closing = time.perf_counter() - clock.last
    # The first epoch builds the graph.
    pairs = list(zip(clock.bare_seconds, clock.seconds, strict=True))[1:]
    ratio = statistics.median(steps * step / epoch for step, epoch in pairs)
    detail = (
        f"{statistics.median(epoch for _, epoch in pairs):.1f} s an epoch; from its begin to the end of its first step "
        f"{statistics.median(clock.gaps[1:]):.2f} s (a step: {statistics.median(clock.bare_seconds):.2f} s); "
        f"closing {closing:.2f} s"
    )
    name = f"fit against bare steps, epochs of {seconds:.0f} s{', augmented' if augmented else ''}"
    line(name, ratio, None if augmented else 0.95, detail)
    keras.backend.clear_session()


def serving(rounds: int, batch: int) -> None:
    """Compare serving encoded images with the bare model, and `predict` from files on."""
    model = ours("resnet18", "float32")
    images, _ = random_batch(batch)
    bare = tf.function(lambda: model(images, training=False))
    rng = np.random.default_rng(0)
    encoded = [
        cv2.imencode(".jpg", cv2.GaussianBlur(rng.integers(0, 256, SHAPE).astype(np.uint8), (5, 5), 0))[1].tobytes()
        for _ in range(batch)
    ]
    with tempfile.TemporaryDirectory() as folder:
        labels = [f"class {number}" for number in range(CLASSES)]
        export(model, f"{folder}/model", labels, ImageOptions(height=SIZE, width=SIZE), 1.0, {})
        served = tf.saved_model.load(f"{folder}/model")
        signature, data = served.signatures["serving_default"], tf.constant(encoded)
        bare(), signature(image_bytes=data)
        alone, whole = in_turn(bare, lambda: signature(image_bytes=data), rounds=rounds)
        detail = f"{batch / whole:.0f} against {batch / alone:.0f} images/s"
        line(f"serving_default, batch {batch}, against the bare model", alone / whole, None, detail)

        files = [Path(folder) / f"{number}.jpg" for number in range(8 * batch)]
        for number, file in enumerate(files):
            file.write_bytes(encoded[number % batch])
        names, classify = load_model(Path(folder) / "model")
        alone, whole = in_turn(bare, lambda: list(classify_files(files, names, classify, batch)), rounds=5)
        detail = f"{len(files) / whole:.0f} images/s from {len(files)} files"
        line("predict, from files on, against the bare model", alone * len(files) / batch / whole, None, detail)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="steps of each candidate")
    parser.add_argument("--batch", type=int, default=64, help="images a step")
    parser.add_argument("--only", choices=["steps", "fit", "serving"], help="a part of it")
    options = parser.parse_args()
    print(f"{'comparison':<58} ratio")
    if options.only in (None, "steps"):
        batch_normalization(options.rounds, options.batch)
        pytorch(options.rounds, options.batch)
        determinism(options.rounds, options.batch)
    if options.only in (None, "fit"):
        fit(options.batch, 5.0, epochs=6, augmented=False)
        fit(options.batch, 30.0, epochs=2, augmented=False)
        fit(options.batch, 5.0, epochs=6, augmented=True)
    if options.only in (None, "serving"):
        serving(options.rounds, options.batch)


if __name__ == "__main__":
    main()
