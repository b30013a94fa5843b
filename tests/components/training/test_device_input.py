from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from trainer_examples import draw_shapes, write_records

from components.images.options import ImageOptions
from components.training.device_input import (
    HeldImages,
    evaluation_line,
    evaluation_stage,
    training_line,
    training_stage,
)
from components.training.input import ImageData, evaluation_batches, read_split, steps_per_epoch, training_batches
from components.training.options import TrainOptions

IMAGE = ImageOptions(height=32, width=40)
COUNT = 22
OPTIONS = [{}, {"mixup": 0.3}, {"imbalance": "effective", "mixup": 0.3}, {"augment": {"flip": False, "rotation": 0.0}}]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder: Path = tmp_path_factory.mktemp("records")
    images, labels = draw_shapes(COUNT, 40)
    return [str(write_records(folder / f"data-{shard}.gz", images[shard::2], labels[shard::2])) for shard in (0, 1)]


def split(files: list[str], place: str) -> tuple[ImageData, HeldImages | None]:
    """Return the split, and a copy of it on the device if it is there; "files" leaves it where it was."""
    data = read_split(files, IMAGE, 0 if place == "files" else None)
    return data, HeldImages(data.images, ["CPU:0"]) if place == "device" else None


@pytest.mark.parametrize("place", ["device", "memory", "files"])
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("changes", OPTIONS)
def test_a_device_makes_the_batches_that_the_host_would(
    files: list[str], place: str, jit_compile: bool, changes: dict[str, Any]
) -> None:
    options = TrainOptions(batch_size=4, epochs=3, warmup_epochs=0, **changes)
    data, held = split(files, place)
    epoch = tf.Variable(0, dtype=tf.int64)
    line = training_line(data, options, 5, epoch, held is not None)
    stage = tf.function(training_stage(data, 3, options, held, jit_compile), jit_compile=jit_compile)

    expected = list(training_batches(data, 3, options, 5))
    made = []
    for number in range(3):
        epoch.assign(number)
        made += [stage(drawn) for drawn in line]

    assert len(made) == len(expected) == 3 * steps_per_epoch(data, 4)
    for a, b in zip(made, expected, strict=True):
        for actual, wanted in zip(a, b, strict=True):
            np.testing.assert_allclose(actual, wanted, rtol=1e-5, atol=0.01)


def test_a_device_can_begin_with_any_epoch(files: list[str]) -> None:
    options = TrainOptions(batch_size=4, epochs=3, warmup_epochs=0, mixup=0.3)
    data, held = split(files, "device")
    stage = training_stage(data, 3, options, held, True)

    made = [stage(drawn) for drawn in training_line(data, options, 5, tf.Variable(2, dtype=tf.int64), True)]

    for a, b in zip(made, training_batches(data, 3, options, 5, first_epoch=2), strict=True):
        np.testing.assert_allclose(a[0], b[0], atol=0.01)


def test_the_host_hands_over_a_few_numbers_an_image(files: list[str]) -> None:
    options = TrainOptions(batch_size=4, epochs=3, warmup_epochs=0)
    data, _ = split(files, "device")

    (drawn, *_) = training_line(data, options, 5, tf.Variable(0, dtype=tf.int64), True)

    assert sum(np.asarray(part).nbytes for part in tf.nest.flatten(drawn)) <= 48 * 4


@pytest.mark.parametrize("place", ["device", "memory", "files"])
def test_an_evaluation_has_full_batches_and_every_image_counts_once(files: list[str], place: str) -> None:
    data, held = split(files, place)
    stage = evaluation_stage(3, held)

    made = [stage(batch) for batch in evaluation_line(data, 8, held is not None)]

    assert [len(images) for images, _, _ in made] == [8, 8, 8]
    weights = np.concatenate([weights for _, _, weights in made])
    assert list(weights > 0) == [True] * COUNT + [False] * 2
    assert weights.mean() == pytest.approx(1.0)
    for column in (0, 1):
        expected = np.concatenate([batch[column] for batch in evaluation_batches(data, 3, 8)])
        np.testing.assert_array_equal(np.concatenate([batch[column] for batch in made])[:COUNT], expected)
