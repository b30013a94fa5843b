import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import tensorflow as tf
from trainer_examples import encode, write_records

from components.images.options import ImageOptions
from components.training import input as trainer_input
from components.training.imbalance import correction_of
from components.training.input import (
    ImageData,
    evaluation_batches,
    list_files,
    read_split,
    steps_per_epoch,
    training_batches,
)
from components.training.options import OnlineAugmentOptions, TrainOptions

IMAGE = ImageOptions(height=32, width=32)
PLAIN = OnlineAugmentOptions(flip=False, rotation=0.0, zoom=0.0, shift=0.0, contrast=0.0)
COUNT = 22


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Image i is filled with the value 10 · i and labelled i modulo 3; two shards."""
    images = [encode(np.full((32, 32, 3), 10 * i, np.uint8)) for i in range(COUNT)]
    for shard in range(2):
        write_records(tmp_path / f"data-{shard}.gz", images[shard::2], np.arange(COUNT)[shard::2] % 3)
    return list(list_files([str(tmp_path / "*")]))


def options(**changes: Any) -> TrainOptions:
    plain: dict[str, Any] = {"batch_size": 4, "epochs": 3, "warmup_epochs": 0, "label_smoothing": 0.0, "augment": PLAIN}
    return TrainOptions(**(plain | changes))


def values(dataset: tf.data.Dataset) -> list[list[int]]:
    """Tell the images of each batch by their fill value."""
    return [[round(float(x)) // 10 for x in batch[0][:, 0, 0, 0]] for batch in dataset]


def test_every_image_is_read_with_its_label(files: list[str]) -> None:
    data = read_split(files, IMAGE)

    assert data.images is not None
    numbers = data.images[:, 0, 0, 0].numpy() // 10
    assert sorted(numbers) == list(range(COUNT))
    assert [n % 3 for n in numbers] == list(data.labels)


def test_the_images_are_held_once_and_given_back(tmp_path: Path) -> None:
    """In a process of its own, where nothing else takes memory or gives some back."""
    side, count = 1000, 60
    path = tmp_path / "large.gz"
    write_records(path, [encode(np.full((side, side, 3), 200, np.uint8))] * count, np.zeros(count, int))
    code = f"""
import json, psutil
from components.images.options import ImageOptions
from components.training.input import read_split

def held():
    return psutil.Process().memory_info().rss

read_split([{str(path)!r}], ImageOptions(height=32, width=32))  # starts TensorFlow's threads
before = held()
data = read_split([{str(path)!r}], ImageOptions(height={side}, width={side}))
during = held()
assert data.images is not None
del data
print(json.dumps([before, during, held()]))
"""
    # Where there is a GPU, its libraries take memory as well.
    without = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=without)

    size = side * side * 3 * count
    before, during, after = (held / size for held in json.loads(done.stdout.splitlines()[-1]))
    assert during - before < 2, (before, during, after)
    assert during - after > 0.9, (before, during, after)


@pytest.mark.parametrize("memory", [None, 0])
def test_an_epoch_holds_every_image_at_most_once(files: list[str], memory: int | None) -> None:
    data = read_split(files, IMAGE, memory)
    steps = steps_per_epoch(data, 4)
    assert (data.images is None) == (memory == 0)

    batches = values(training_batches(data, 3, options(), seed=0))

    assert [len(batch) for batch in batches] == [4] * steps * 3
    for epoch in range(3):
        seen = [n for batch in batches[epoch * steps : (epoch + 1) * steps] for n in batch]
        assert len(set(seen)) == len(seen) == 20


@pytest.mark.parametrize("memory", [None, 0])
def test_each_epoch_is_shuffled_anew_and_the_same_for_a_seed(files: list[str], memory: int | None) -> None:
    data = read_split(files, IMAGE, memory)

    first, again, other = (values(training_batches(data, 3, options(), seed=seed)) for seed in (0, 0, 1))

    assert first == again != other
    assert first[:5] != first[5:10]


@pytest.mark.parametrize("memory", [None, 0])
def test_batches_from_a_later_epoch_equal_those_of_an_uninterrupted_run(files: list[str], memory: int | None) -> None:
    data = read_split(files, IMAGE, memory)
    augmented = options(augment=OnlineAugmentOptions(), mixup=0.2)

    whole = list(training_batches(data, 3, augmented, seed=5))
    rest = list(training_batches(data, 3, augmented, seed=5, first_epoch=2))

    assert len(rest) == 5
    for expected, actual in zip(whole[-5:], rest, strict=True):
        for a, b in zip(expected, actual, strict=True):
            np.testing.assert_array_equal(a, b)


def test_mixup_weighs_each_image_by_its_own_class(files: list[str]) -> None:
    data = read_split(files, IMAGE)
    blended, alone = options(mixup=0.4, imbalance="sqrt"), options(imbalance="sqrt")

    _, targets, weights = next(iter(training_batches(data, 3, blended, seed=5)))
    _, classes, own = next(iter(training_batches(data, 3, alone, seed=5)))
    per_class = np.zeros(3)
    per_class[np.argmax(classes, axis=1)] = own  # of this batch
    terms = targets.numpy() * weights.numpy()[:, np.newaxis] / per_class  # the shares that were blended

    np.testing.assert_allclose(terms.sum(axis=1), 1.0, rtol=1e-5)
    assert ((terms > 0.01) & (terms < 0.99)).any()


@pytest.mark.parametrize("memory", [None, 0])
def test_evaluation_sees_every_image_once_in_order_and_unchanged(files: list[str], memory: int | None) -> None:
    data = read_split(files, IMAGE, memory)

    batches = list(evaluation_batches(data, 3, 8))

    assert [len(x) for x, _ in batches] == [8, 8, 6]
    numbers = [round(float(v)) // 10 for x, _ in batches for v in x[:, 0, 0, 0]]
    assert sorted(numbers) == list(range(COUNT))
    assert [n % 3 for n in numbers] == [int(tf.argmax(row)) for _, y in batches for row in y] == list(data.labels)


def test_a_split_smaller_than_a_batch_is_one_batch(files: list[str]) -> None:
    data = read_split(files, IMAGE)

    batches = values(training_batches(data, 3, options(batch_size=64, epochs=2), seed=0))

    assert [len(batch) for batch in batches] == [COUNT, COUNT]


def test_targets_are_smoothed(files: list[str]) -> None:
    _, targets, _ = next(iter(training_batches(read_split(files, IMAGE), 3, options(label_smoothing=0.3), seed=0)))

    np.testing.assert_allclose(sorted(targets[0].numpy()), [0.1, 0.1, 0.8], atol=1e-6)


@pytest.mark.parametrize("method", ["effective", "sqrt"])
def test_classes_weigh_within_a_batch_and_no_batch_outweighs_another(files: list[str], method: str) -> None:
    data = read_split(files, IMAGE)
    per_class = correction_of(data.labels, None, 3, options(imbalance=method)).weights

    for _, targets, weights in training_batches(data, 3, options(imbalance=method), seed=0):
        of_class = per_class[np.argmax(targets, axis=1)]
        np.testing.assert_allclose(weights, of_class / of_class.mean(), rtol=1e-5)


def test_an_adjusted_training_smooths_targets_to_the_shares_of_the_classes(files: list[str]) -> None:
    data = read_split(files, IMAGE)
    unbalanced = ImageData(data.files, np.where(data.labels == 2, 0, data.labels), IMAGE, data.images)
    chosen = options(imbalance="logit_adjustment", label_smoothing=0.3)

    _, targets, weights = next(iter(training_batches(unbalanced, 2, chosen, seed=0)))

    shares = np.bincount(unbalanced.labels) / COUNT
    np.testing.assert_allclose(targets, 0.7 * np.eye(2)[np.argmax(targets, axis=1)] + 0.3 * shares, rtol=1e-5)
    np.testing.assert_array_equal(weights, 1.0)


def test_images_of_another_size_are_resized(tmp_path: Path) -> None:
    file = write_records(tmp_path / "x.gz", [encode(np.full((50, 40, 3), 77, np.uint8))], [0])

    data = read_split([str(file)], IMAGE)

    assert data.images is not None
    assert data.images.shape == (1, 32, 32, 3)
    assert set(np.unique(data.images)) == {77}


def test_no_files_and_no_images_are_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Received: "):
        list_files([str(tmp_path / "*.gz")])
    with pytest.raises(ValueError, match="no images"):
        read_split([str(write_records(tmp_path / "x.gz", [], []))], IMAGE)


@pytest.mark.parametrize(("limit", "left"), [("100000", 100000 - 70000 + 30000 + 5000), ("50000", 15000), ("20000", 0)])
def test_the_memory_limit_of_a_container_counts_and_its_file_cache_does_not(
    tmp_path: Path, limit: str, left: int
) -> None:
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text("70000\n")
    (tmp_path / "memory.stat").write_text("anon 30000\nfile 40000\nshmem 5000\nactive_file 5000\ninactive_file 30000\n")
    assert trainer_input.available_memory(tmp_path) == left


def test_without_a_limit_the_memory_is_the_machines(tmp_path: Path) -> None:
    whole = trainer_input.available_memory(tmp_path)
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("70000\n")
    (tmp_path / "memory.stat").write_text("active_file 5000\ninactive_file 30000\n")
    assert trainer_input.available_memory(tmp_path) == pytest.approx(whole, rel=0.2)
    assert whole == pytest.approx(psutil.virtual_memory().available, rel=0.2)


def test_tf_data_tunes_nothing_by_itself(files: list[str]) -> None:
    """With its autotuning, the end of an iterator waits for up to ten seconds."""
    for memory in (None, 0):
        data = read_split(files, IMAGE, memory)
        for batches in (training_batches(data, 3, options(), seed=0), evaluation_batches(data, 3, 4)):
            assert batches.options().autotune.enabled is False


def test_ids_are_read_with_the_images_in_their_order(files: list[str]) -> None:
    data = read_split(files, IMAGE, count=COUNT)

    assert len(set(data.ids)) == COUNT
    assert data.ids == read_split(files, IMAGE, memory=0).ids


@pytest.mark.parametrize(("count", "found"), [(COUNT + 1, str(COUNT)), (COUNT - 1, "more")])
def test_a_split_of_another_size_than_was_said_is_an_error(files: list[str], count: int, found: str) -> None:
    with pytest.raises(ValueError, match=f"A split of {count} images holds {found}: "):
        read_split(files, IMAGE, count=count)
