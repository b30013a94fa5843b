"""What the Trainer and the Tuner do before they train: read the splits, choose devices and precision."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.formats.examples import ID, read_counts, read_labels, split_folder
from components.formats.folds import TrainingSplits
from components.training.execution import Execution, choose_execution, free_memory
from components.training.flips import classifier
from components.training.imbalance import Correction, correction_of
from components.training.input import ImageData, evaluation_batches, list_files, read_split
from components.training.precision import Device, choose_precision, cpu_flags, find_devices, make_strategy, missing_gpu
from components.training.settings import Settings
from components.training.training import Training, deterministic_ops

_TRAIN_AND_EVAL = TrainingSplits()


@dataclass(frozen=True)
class Prepared:
    """What can be trained at once.

    Attributes:
        settings: model, training, image options and the seed.
        labels: class names in id order.
        train: the split to train on.
        eval: the split to judge by.
        devices: what computes.
        precision: what is computed in, and `reason` why.
    """

    settings: Settings
    labels: list[str]
    train: ImageData
    eval: ImageData
    devices: list[Device]
    precision: str
    reason: str

    @property
    def files(self) -> list[str]:
        """The TFRecord files of both splits."""
        return [*self.train.files, *self.eval.files]

    @property
    def fingerprint(self) -> str:
        """A digest of all that decides what a training comes to, but for the code."""
        return self.settings.fingerprint(self.files, self.precision)

    @property
    def correction(self) -> Correction:
        """What the loss does for classes of few images."""
        return correction_of(self.train.labels, self.train.shares, len(self.labels), self.settings.train)

    def with_settings(self, settings: Settings) -> "Prepared":
        """Return the same data for other options of model and training."""
        precision, reason = choose_precision(settings.train.precision, self.devices, cpu_flags())
        return replace(self, settings=settings, precision=precision, reason=reason)

    def training(self, component: str) -> Training:
        """Return the training, under the name that the progress is shown by."""
        return Training(
            self.settings,
            self.train,
            self.eval,
            len(self.labels),
            precision=self.precision,
            strategy=make_strategy(self.devices),
            execution=self.execution(),
            component=component,
        )

    def execution(self) -> Execution:
        """Choose what runs where; of what GPUs have free now."""
        gpus = any(device.kind == "GPU" for device in self.devices)
        return choose_execution(self.devices, self.train.size, self.eval.size, free_memory() if gpus else [])

    def predict_logits(self, model: Any, data: ImageData | None = None) -> NDArray[Any]:
        """Return the N×K logits of eval, or of other data, in record order."""
        options = self.settings.train
        with deterministic_ops(options.deterministic):
            logits = classifier(model, self.settings.flip_average)
            return predict_logits(logits, data or self.eval, len(self.labels), options.batch_size)


def prepare(
    settings: Settings,
    examples: str,
    train_files: Sequence[str],
    eval_files: Sequence[str],
    splits: TrainingSplits = _TRAIN_AND_EVAL,
) -> Prepared:
    """Read both splits and find the devices.

    Args:
        settings: what to train.
        examples: the Examples' folder, with the label map.
        train_files: patterns of the TFRecords of train.
        eval_files: likewise of eval.
        splits: of which splits they are.

    Raises:
        RuntimeError: a GPU that was asked for isn't there.
        ValueError: a split is empty, holds a label id that has no name, or two images under one id.
    """
    devices = find_devices()
    if (hint := missing_gpu(devices)) is not None:
        print(hint, flush=True)
    precision, reason = choose_precision(settings.train.precision, devices, cpu_flags())
    labels = read_labels(examples)
    counts = read_counts(examples)
    train, evaluation = (
        read_split(list_files(files), settings.image, count=_count(names, counts))
        for names, files in ((splits.train, train_files), (splits.eval, eval_files))
    )
    check_labels(labels, train, evaluation)
    _check_ids(evaluation)
    return Prepared(settings, labels, train, evaluation, devices, precision, reason)


def read_held_out(settings: Settings, examples: str, splits: Sequence[str]) -> ImageData:
    """Read what a fold's model is asked about.

    Args:
        settings: for size and channels of the images.
        examples: the Examples' folder, with the label map.
        splits: names of the splits.

    Raises:
        ValueError: a split is empty, or holds two images under one id.
    """
    files = list_files([str(split_folder(examples, name) / "*") for name in splits])
    held_out = read_split(files, settings.image, count=_count(splits, read_counts(examples)))
    _check_ids(held_out)
    return held_out


def _count(splits: Sequence[str], counts: Mapping[str, int]) -> int | None:
    """Return how many examples splits have together; None where the label map doesn't say."""
    return sum(counts[name] for name in splits) if set(splits) <= counts.keys() else None


def _check_ids(data: ImageData) -> None:
    if len(set(data.ids)) < len(data):
        raise ValueError(f"Each example needs an {ID} of its own. Received: {data.files[0]}, …")


def check_labels(labels: list[str], *splits: ImageData) -> None:
    """Make sure that every label id has a name.

    Raises:
        ValueError: one hasn't.
    """
    highest = max(int(split.labels.max()) for split in splits)
    lowest = min(int(split.labels.min()) for split in splits)
    if lowest < 0 or highest >= len(labels):
        raise ValueError(f"Label ids must be 0 to {len(labels) - 1}. Received: {lowest} to {highest}")


def predict_logits(
    logits: Callable[[tf.Tensor], tf.Tensor], data: ImageData, classes: int, batch_size: int
) -> NDArray[Any]:
    """Return the N×K logits of a split, in record order; `logits` is what `classifier` returns."""
    call = tf.function(logits, reduce_retracing=True)
    return np.concatenate([call(images).numpy() for images, _ in evaluation_batches(data, classes, batch_size)])
