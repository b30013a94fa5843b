"""The Trainer's `run_fn`: TFX's arguments in; a SavedModel and the figures of its training out."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tfx.components.trainer.fn_args_utils import FnArgs

from components.images import made_from
from components.trainer.calibration import fit_temperature
from components.trainer.input import ImageData, evaluation_batches, list_files, read_digests, read_split
from components.trainer.precision import Device, choose_precision, cpu_flags, find_devices, make_strategy
from components.trainer.pretrained import IMAGENET
from components.trainer.settings import Settings, read_settings
from components.trainer.signatures import export, write_json
from components.trainer.trackers import make_trackers
from components.trainer.training import Trained, copy_in_float32, deterministic_ops, train


def run_fn(fn_args: FnArgs) -> None:
    """Train, calibrate and export the model that the options, or the Tuner, name.

    Raises:
        RuntimeError: a GPU or a tracker that was asked for isn't there.
        FloatingPointError: the loss is no number any more.
        MemoryError: a batch doesn't fit into memory.
    """
    config = fn_args.custom_config
    settings = read_settings(config, fn_args.hyperparameters)
    devices = find_devices()
    precision, reason = choose_precision(settings.train.precision, devices, cpu_flags())
    print(f"Training {settings.model.architecture} in {precision} ({reason}) on {', '.join(d.name for d in devices)}")

    labels = read_labels(config["examples_uri"])
    train_files, eval_files = list_files(fn_args.train_files), list_files(fn_args.eval_files)
    train_data, eval_data = read_split(train_files, settings.image), read_split(eval_files, settings.image)
    check_labels(labels, train_data, eval_data)

    checkpoint = None
    if config.get("checkpoint_dir"):
        fingerprint = settings.fingerprint([*train_files, *eval_files], config.get("code_version", ""), precision)
        checkpoint = (Path(config["checkpoint_dir"]) / fingerprint, fingerprint)
    trackers = make_trackers(settings.tracking, fn_args.model_run_dir, flatten(settings, precision))
    trained = train(
        settings,
        train_data,
        eval_data,
        len(labels),
        precision=precision,
        strategy=make_strategy(devices),
        checkpoint=checkpoint,
        trackers=trackers,
    )

    model = copy_in_float32(trained.model, settings.model)
    with deterministic_ops(settings.train.deterministic):
        logits = predict_logits(model, eval_data, len(labels), settings.train.batch_size)
    temperature = fit_temperature(logits, eval_data.labels) if settings.calibrate else 1.0
    figures = describe(settings, trained, precision, devices, temperature, train_data, eval_data)
    export(model, fn_args.serving_model_dir, labels, settings.image, temperature, figures)
    earlier = weights_made_from(settings.model.weights)
    if earlier is not None:
        own = read_digests([*train_files, *eval_files])  # eval decides when to stop, and the temperature
        made_from.write([*earlier, *own], Path(fn_args.serving_model_dir))
    tf.io.gfile.makedirs(fn_args.model_run_dir)
    write_json(figures, f"{fn_args.model_run_dir}/training.json")

    confusion = np.zeros((len(labels), len(labels)), int)
    np.add.at(confusion, (eval_data.labels, logits.argmax(axis=1)), 1)
    for tracker in trackers:
        tracker.confusion(labels, confusion)
        tracker.finish({key: figures[key] for key in ("best_epoch", "temperature")}, fn_args.serving_model_dir)
    if checkpoint is not None:
        shutil.rmtree(checkpoint[0], ignore_errors=True)


def weights_made_from(weights: str | None) -> frozenset[str] | None:
    """Read what the weights that training begins with were made from; None if they don't say."""
    if weights in (None, IMAGENET):
        return frozenset()
    return made_from.read(Path(weights))


def read_labels(examples_uri: str) -> list[str]:
    """Read the names of the classes, in id order, from the label map that lies beside the examples."""
    with tf.io.gfile.GFile(f"{examples_uri}/label_map.json") as file:
        return list(json.load(file)["labels"])


def check_labels(labels: list[str], *splits: ImageData) -> None:
    """Make sure that every label id has a name.

    Raises:
        ValueError: one hasn't.
    """
    highest = max(int(split.labels.max()) for split in splits)
    lowest = min(int(split.labels.min()) for split in splits)
    if lowest < 0 or highest >= len(labels):
        raise ValueError(f"Label ids must be 0 to {len(labels) - 1}. Received: {lowest} to {highest}")


def predict_logits(model: Any, data: ImageData, classes: int, batch_size: int) -> NDArray[Any]:
    """Return the N×K logits of a split, in record order."""
    call = tf.function(lambda images: model(images, training=False), reduce_retracing=True)
    return np.concatenate([call(images).numpy() for images, _ in evaluation_batches(data, classes, batch_size)])


def flatten(settings: Settings, precision: str) -> dict[str, Any]:
    """Return the options as {"train.epochs": 30, …} for the trackers."""
    config: dict[str, Any] = {"seed": settings.seed, "precision": precision}
    for section in ("model", "train", "image"):
        config |= {f"{section}.{key}": value for key, value in getattr(settings, section).model_dump().items()}
    return config


def describe(
    settings: Settings,
    trained: Trained,
    precision: str,
    devices: list[Device],
    temperature: float,
    train_data: ImageData,
    eval_data: ImageData,
) -> dict[str, Any]:
    """Return the content of `training.json`."""
    return {
        "architecture": settings.model.architecture,
        "parameters": trained.model.count_params(),
        "precision": precision,
        "devices": [device.name for device in devices],
        "epochs_run": len(trained.history),
        "best_epoch": trained.best_epoch,
        "temperature": temperature,
        "images_per_second": trained.images_per_second,
        "seconds": round(trained.seconds, 3),
        "seed": settings.seed,
        "batch_size": settings.train.batch_size,
        "train_images": len(train_data),
        "eval_images": len(eval_data),
        "deterministic": settings.train.deterministic,
        "history": trained.history,
    }
