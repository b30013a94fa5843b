"""How well a GPU is used: `python tests/benchmarks/gpu.py` (less than 10 minutes on an H100), or `make bench-gpu`.

Images a second of ResNet-18 and ResNet-50 at 96×96 in bfloat16, at batch 64 and 256; 20,000 images of noise.

step                 the bare training step that XLA compiles, on a batch that is ready
fit                  the epochs of a training after the first, default augmentation, evaluation left out; with
                     deterministic kernels, as is the default, and without
torch                PyTorch's own ResNet, channels last, autocast: eager, and the whole step as a CUDA graph
input                the host's input line: as a processor gets it, augmented, and as a GPU gets it, numbers and draws
augment              the augmentation on the device alone
predict              the SavedModel on encoded images, and `predict` from files on

`--device cpu --quick` runs every line of it on a processor, on tiny images; its figures mean nothing.
"""

import argparse
import contextlib
import importlib.util
import io
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import cv2
import keras
import numpy as np
import tensorflow as tf

from components.images.options import ImageOptions
from components.models import resnets
from components.models.pooling import MaxPooling2D
from components.training.device_input import HeldImages, training_line, training_stage
from components.training.execution import Execution
from components.training.export import export
from components.training.input import ImageData, training_batches
from components.training.network import build_model
from components.training.options import Architecture, ModelOptions, TrainOptions
from components.training.settings import Settings
from components.training.training import Training
from pipeline.cli.predict import classify_files, load_model

CLASSES = 8
ARCHITECTURES: tuple[Architecture, ...] = ("resnet18", "resnet50")


@dataclass(frozen=True)
class Scale:
    """How large the benchmark is.

    Attributes:
        size: height and width of an image.
        images: to train on.
        batches: images of a step.
        seconds: of a measurement, at least.
        precision: what is computed in.
    """

    size: int
    images: int
    batches: tuple[int, int]
    seconds: float
    precision: str


FULL = Scale(96, 20_000, (64, 256), 2.0, "bfloat16")
QUICK = Scale(32, 96, (8, 16), 0.1, "float32")


def line(what: str, images: float, detail: str = "") -> None:
    """Print one figure."""
    print(f"{what:<52} {images:>9,.0f} images/s  {detail}".rstrip(), flush=True)


def rate(step: Callable[[], Any], images: int, scale: Scale, finish: Callable[[], Any] = lambda: None) -> float:
    """Return the images a second of a step, warmed up; `finish` waits for the device where the step doesn't."""
    for _ in range(3):
        step()
    finish()
    started, steps = time.perf_counter(), 0
    while steps < 3 or time.perf_counter() - started < scale.seconds:
        for _ in range(10):
            step()
        finish()
        steps += 10
    return steps * images / (time.perf_counter() - started)


def data_of(scale: Scale, count: int) -> ImageData:
    """Return noise with labels."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (count, scale.size, scale.size, 3), np.uint8)
    with tf.device("CPU:0"):
        images = tf.constant(pixels)
    return ImageData((), rng.integers(0, CLASSES, count), ImageOptions(height=scale.size, width=scale.size), images)


def bare_step(scale: Scale, architecture: Architecture, batch: int, data: ImageData) -> None:
    """Measure the compiled step on a batch that is ready."""
    model = build_model(ModelOptions(architecture=architecture), CLASSES, (scale.size, scale.size, 3), scale.precision)
    for layer in model.layers:
        if isinstance(layer, MaxPooling2D):
            layer.by_slices = True
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(1e-3), loss, jit_compile=True)
    model.optimizer.build(model.trainable_variables)
    images = tf.random.stateless_uniform((batch, scale.size, scale.size, 3), (1, 2), 0.0, 255.0)
    targets = tf.one_hot(tf.range(batch) % CLASSES, CLASSES)
    step = tf.function(lambda: model.train_step((images, targets)), jit_compile=True, autograph=False)
    last: list[Any] = []

    def run() -> None:
        last[:] = [step()]

    line(f"step     {architecture} batch {batch}", rate(run, batch, scale, lambda: last[0]["loss"].numpy()))


def whole_fit(scale: Scale, architecture: Architecture, batch: int, data: ImageData) -> None:
    """Measure epochs of a training, as the Trainer runs it on one GPU."""
    evaluation = data_of(scale, max(batch, len(data) // 10))
    execution = Execution(True, True, 16, "device", "device")
    for deterministic in (True, False):
        options = TrainOptions(epochs=4, batch_size=batch, warmup_epochs=0, deterministic=deterministic)
        settings = Settings(ModelOptions(architecture=architecture), options, data.image)
        training = Training(
            settings, data, evaluation, CLASSES, precision=scale.precision, execution=execution, component="gpu"
        )
        with contextlib.redirect_stdout(io.StringIO()):
            trained = training.run()
        first, *others = trained.history
        detail = f"compiled in {first['compile_seconds']:.0f} s; an epoch {others[-1]['seconds']:.1f} s"
        name = f"fit      {architecture} batch {batch}{'' if deterministic else ', not deterministic'}"
        line(name, float(np.median([row["images_per_second"] for row in others])), detail)


def pytorch(scale: Scale, architecture: Architecture, batch: int, data: ImageData) -> None:
    """Measure PyTorch's network, where it is installed."""
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("torchvision") is None:
        print(f"torch    {architecture} batch {batch}: skipped, torch and torchvision are not installed", flush=True)
        return
    import torch  # type: ignore[import-not-found,unused-ignore]
    import torchvision  # type: ignore[import-not-found,unused-ignore]

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = getattr(torchvision.models, architecture)(num_classes=CLASSES)
    model = model.to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    images = torch.rand(batch, 3, scale.size, scale.size, device=device).to(memory_format=torch.channels_last)
    labels = torch.randint(0, CLASSES, (batch,), device=device)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, cache_enabled=False):
            loss = torch.nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()

    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    line(f"torch    {architecture} batch {batch}, eager", rate(step, batch, scale, wait))
    if device != "cuda":
        print(f"torch    {architecture} batch {batch}: no CUDA graph without CUDA", flush=True)
        return
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # as capturing asks for
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    line(f"torch    {architecture} batch {batch}, CUDA graph", rate(graph.replay, batch, scale, wait))


def input_line(scale: Scale, batch: int, data: ImageData) -> None:
    """Measure what the host makes for a processor, and for a GPU."""
    options = TrainOptions(epochs=1000, batch_size=batch)
    epoch = tf.Variable(0, dtype=tf.int64)
    lines: dict[str, tf.data.Dataset] = {
        "augmented": training_batches(data, CLASSES, options, 0),
        "numbers and draws": training_line(data, options, 0, epoch, True).repeat(),
    }
    for name, dataset in lines.items():
        iterator: Iterator[Any] = iter(dataset)
        line(f"input    batch {batch}, {name}", rate(lambda: next(iterator), batch, scale))  # noqa: B023


def augmentation(scale: Scale, batch: int, data: ImageData, device: str) -> None:
    """Measure the augmentation on the device, of images that it holds."""
    options = TrainOptions(epochs=4, batch_size=batch)
    stage = training_stage(data, CLASSES, options, HeldImages(data.images, [device]), True)
    (drawn, *_) = training_line(data, options, 0, tf.Variable(0, dtype=tf.int64), True).take(1)
    compiled = tf.function(lambda: tf.reduce_sum(stage(drawn)[0]), jit_compile=True, autograph=False)
    last: list[Any] = []

    def run() -> None:
        last[:] = [compiled()]

    line(f"augment  batch {batch}", rate(run, batch, scale, lambda: last[0].numpy()))


def predict(scale: Scale, batch: int) -> None:
    """Measure serving and `predict`."""
    model = build_model(ModelOptions(), CLASSES, (scale.size, scale.size, 3))
    rng = np.random.default_rng(0)
    pixels = [cv2.GaussianBlur(rng.integers(0, 256, (scale.size, scale.size, 3), np.uint8), (5, 5), 0)] * batch
    encoded = [cv2.imencode(".jpg", picture)[1].tobytes() for picture in pixels]
    with tempfile.TemporaryDirectory() as folder:
        labels = [f"class {number}" for number in range(CLASSES)]
        export(model, f"{folder}/model", labels, ImageOptions(height=scale.size, width=scale.size), 1.0, {})
        names, classify = load_model(Path(folder) / "model")
        line(f"predict  resnet18 batch {batch}, encoded images", rate(lambda: classify(encoded), batch, scale))
        files = [Path(folder) / f"{number}.jpg" for number in range(8 * batch)]
        for number, file in enumerate(files):
            file.write_bytes(encoded[number % batch])
        started = time.perf_counter()
        rows = [row for part in classify_files(files, names, classify, batch) for row in part]
        line(f"predict  resnet18 batch {batch}, from files", len(rows) / (time.perf_counter() - started))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["gpu", "cpu"], default="gpu")
    parser.add_argument("--quick", action="store_true", help="tiny images and networks")
    parts = ["step", "fit", "torch", "input", "augment", "predict"]
    parser.add_argument("--only", choices=parts, action="append", help="a part of it; may be given several times")
    options = parser.parse_args()
    if options.device == "gpu" and not tf.config.list_physical_devices("GPU"):
        print("TensorFlow sees no GPU, so there is nothing to measure; --device cpu --quick shows what would be.")
        return
    if options.device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    scale = QUICK if options.quick else FULL
    if options.quick:
        resnets.BLOCKS.update(resnet18=("basic", (1, 1)), resnet50=("bottleneck", (1, 1)))  # type: ignore[arg-type]
    chosen = options.only or parts
    data = data_of(scale, scale.images)
    for batch in scale.batches:
        if "input" in chosen:
            input_line(scale, batch, data)
        if "augment" in chosen:
            augmentation(scale, batch, data, f"{options.device}:0")
        if "predict" in chosen:
            predict(scale, batch)
    networks = {"torch": pytorch, "step": bare_step, "fit": whole_fit}
    for architecture in ARCHITECTURES:
        for batch in scale.batches:
            for part in (part for part in networks if part in chosen):
                networks[part](scale, architecture, batch, data)
                keras.backend.clear_session()


if __name__ == "__main__":
    main()
