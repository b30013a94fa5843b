"""Labels that were voted on, and labels that are more or less sure, from the data set's rows to the batches."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from trainer_examples import encode

from components.formats.dataset import ImageRow, read_shard, shard_name, write_shard
from components.formats.examples import read_labels
from components.images.options import ImageOptions
from components.tfrecord.convert import convert
from components.training.device_input import training_line, training_stage
from components.training.imbalance import correction_of
from components.training.input import evaluation_batches, list_files, read_split, training_batches
from components.training.options import OnlineAugmentOptions, TrainOptions

IMAGE = ImageOptions(height=32, width=32)
PLAIN = OnlineAugmentOptions(flip=False, rotation=0.0, zoom=0.0, shift=0.0, contrast=0.0)
# Each image is filled with ten times its place; votes for "none", which is no image's label, count for nothing.
VOTES = [
    ("happy", (("happy", 8.0), ("sad", 2.0)), 1.0),
    ("sad", (("anger", 1.0), ("none", 2.0), ("sad", 3.0)), 0.5),
    ("anger", None, None),
    ("anger", (("anger", 1.0),), 0.25),
]
EXPECTED = np.array([[0, 0.8, 0.2], [0.25, 0, 0.75], [1, 0, 0], [1, 0, 0]])
WEIGHTS = np.array([1.0, 0.5, 1.0, 0.25])


def row(place: int, label: str, votes: Any, weight: float | None) -> ImageRow:
    pixels = np.full((32, 32, 3), 10 * place, np.uint8)
    return ImageRow(
        id=f"{place}.png", label=label, split="train", image=encode(pixels), format="png", height=32, width=32,
        channels=3, sha256="ab", pixels="cd", phash=None, brightness=1.0, group="g", source_id="s", copy=0,
        filename=f"{place}.png", weight=weight, votes=votes,
    )  # fmt: skip


def options(**changes: Any) -> TrainOptions:
    plain: dict[str, Any] = {"batch_size": 4, "epochs": 1, "warmup_epochs": 0, "label_smoothing": 0.0, "augment": PLAIN}
    return TrainOptions(**(plain | changes))


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    rows = [row(place, *one) for place, one in enumerate(VOTES)]
    write_shard(rows, dataset / shard_name("train", 0, 1))
    assert list(read_shard(dataset / shard_name("train", 0, 1))) == rows
    for split in ("eval", "test"):
        write_shard([], dataset / shard_name(split, 0, 1))
    convert(dataset, tmp_path / "examples")
    assert read_labels(tmp_path / "examples") == ["anger", "happy", "sad"]
    return list(list_files([str(tmp_path / "examples" / "Split-train" / "*")]))


def in_order(batch: Any) -> tuple[Any, Any]:
    """Return targets and weights by the images' fill values."""
    images, targets, weights = (part.numpy() for part in batch)
    order = np.argsort(images[:, 0, 0, 0])
    return targets[order], weights[order]


@pytest.mark.parametrize("memory", [None, 0])
def test_an_image_trains_on_its_votes_and_counts_as_its_label_is_sure(files: list[str], memory: int | None) -> None:
    data = read_split(files, IMAGE, memory)

    [batch] = training_batches(data, 3, options(), seed=0)

    targets, weights = in_order(batch)
    np.testing.assert_allclose(targets, EXPECTED, atol=1e-6)
    np.testing.assert_allclose(weights, WEIGHTS, atol=1e-6)


def test_a_device_gets_the_same_batch(files: list[str]) -> None:
    data, epoch = read_split(files, IMAGE), tf.Variable(0, dtype=tf.int64)

    [drawn] = training_line(data, options(), 0, epoch, held=False)

    targets, weights = in_order(training_stage(data, 3, options(), None, jit_compile=False)(drawn))
    np.testing.assert_allclose(targets, EXPECTED, atol=1e-6)
    np.testing.assert_allclose(weights, WEIGHTS, atol=1e-6)


def test_it_is_judged_by_the_class_with_the_most_votes(files: list[str]) -> None:
    [(_, targets)] = evaluation_batches(read_split(files, IMAGE), 3, 8)

    np.testing.assert_array_equal(targets, [[0, 1, 0], [0, 0, 1], [1, 0, 0], [1, 0, 0]])


def test_classes_weigh_each_share_and_mixup_blends_what_was_weighed(files: list[str]) -> None:
    data = read_split(files, IMAGE)
    weighed = {"imbalance": "effective", "effective_beta": 0.5}
    per_class = correction_of(data.labels, data.shares, 3, options(**weighed)).weights

    [batch] = training_batches(data, 3, options(**weighed), seed=0)
    [blended] = training_batches(data, 3, options(**weighed, mixup=0.4), seed=0)

    targets, weights = in_order(batch)
    shares = EXPECTED * WEIGHTS[:, np.newaxis] * per_class
    shares *= WEIGHTS.sum() / shares.sum()  # the batch weighs what its images do
    np.testing.assert_allclose(targets * weights[:, np.newaxis], shares, atol=1e-6)
    _, targets, weights = (part.numpy() for part in blended)
    np.testing.assert_allclose(targets.sum(axis=1), 1.0, rtol=1e-5)
    lowest, highest = shares.sum(axis=1).min(), shares.sum(axis=1).max()
    assert ((weights > lowest - 1e-6) & (weights < highest + 1e-6)).all()
    assert not np.allclose(sorted(weights), sorted(shares.sum(axis=1)))


def test_an_image_that_counts_nothing_is_no_error(tmp_path: Path, files: list[str]) -> None:
    dataset = tmp_path / "dataset"
    write_shard([row(0, "happy", None, 0.0), row(1, "sad", None, None)], dataset / shard_name("train", 0, 1))
    convert(dataset, tmp_path / "other")
    data = read_split(list_files([str(tmp_path / "other" / "Split-train" / "*")]), IMAGE)

    [(_, targets, weights)] = training_batches(data, 2, options(), seed=0)

    assert sorted(weights.numpy().tolist()) == [0.0, 1.0]
    assert np.isfinite(targets.numpy()).all()


def test_data_without_votes_or_weights_is_written_as_before(tmp_path: Path) -> None:
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    for split in ("train", "eval", "test"):
        write_shard([row(0, "happy", None, None)], dataset / shard_name(split, 0, 1))
    convert(dataset, tmp_path / "examples")

    [path] = (tmp_path / "examples" / "Split-train").iterdir()
    [record] = tf.data.TFRecordDataset(str(path), compression_type="GZIP").as_numpy_iterator()
    assert not {"image/weight", "image/class/distribution"} & set(tf.train.Example.FromString(record).features.feature)
