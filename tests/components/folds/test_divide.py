"""Examples of train and eval divided by fold, and a training on them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
import tensorflow as tf
from tfx.types import artifact_utils, channel_utils, standard_artifacts
from trainer_examples import draw_shapes

from components.folds.executor import Executor
from components.formats.artifacts import Analysis
from components.formats.examples import read_counts, read_labels, split_folder
from components.formats.folds import read_folds, splits_of_fold
from components.formats.predictions import read_predictions
from components.formats.saved_model import read_made_from, serving_folder
from components.images.options import ImageOptions
from components.trainer.component import ImageTrainer
from components.trainer.executor import Executor as TrainerExecutor
from components.training.options import AnswerOptions, ModelOptions, TrackingOptions, TrainOptions
from components.training.preparation import prepare
from components.training.settings import Settings

LABELS = ["circle", "square", "cross"]
FOLDS = 2
# Number of originals, and which of them has copies.
SIZES = {"train": 36, "eval": 12, "test": 6}
COPIED = 3


def record(image: bytes, label: int, name: str, source: str, is_copy: bool) -> bytes:
    def text(value: str | bytes) -> tf.train.Feature:
        return tf.train.Feature(
            bytes_list=tf.train.BytesList(value=[value if isinstance(value, bytes) else value.encode()])
        )

    def number(value: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    features = {
        "image/encoded": text(image),
        "image/id": text(name),
        "image/class/label": number(label),
        "image/class/text": text(LABELS[label]),
        "image/augmented": number(int(is_copy)),
        "image/key/sha256": text(name.ljust(64, ".")),
        "image/group": text(source),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def write(root: Path) -> Path:
    for seed, (split, size) in enumerate(SIZES.items()):
        images, labels = draw_shapes(size, seed=seed)
        folder = split_folder(root, split)
        folder.mkdir(parents=True)
        for shard in range(2):
            path = folder / f"data_tfrecord-{shard:05d}-of-00002.gz"
            with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
                for index in range(shard, size, 2):
                    name = f"{split}/{index}.png"
                    writer.write(record(images[index], int(labels[index]), name, name, False))
                    if split == "train" and index < COPIED:
                        writer.write(record(images[index], int(labels[index]), f"{name}_aug", name, True))
    (root / "label_map.json").write_text(json.dumps({"labels": LABELS}))
    return root


def artifact(uri: Path, names: list[str]) -> standard_artifacts.Examples:
    found = standard_artifacts.Examples()
    found.uri, found.split_names = str(uri), artifact_utils.encode_split_names(names)
    return found


def divide(source: Path, target: Path) -> standard_artifacts.Examples:
    examples, folds = standard_artifacts.Examples(), Analysis()
    examples.uri, folds.uri = str(target / "examples"), str(target / "folds")
    given = {"all_examples": [artifact(source, list(SIZES))]}
    Executor().Do(given, {"examples": [examples], "folds": [folds]}, {"count": FOLDS, "split_seed": 27})
    return examples


@pytest.fixture(scope="module")
def divided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("folds")
    divide(write(root / "source"), root)
    return root


def ids(examples: Path, split: str) -> list[str]:
    files = [str(path) for path in sorted(split_folder(examples, split).iterdir())]
    records = tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
    return [
        tf.train.Example.FromString(one).features.feature["image/id"].bytes_list.value[0].decode() for one in records
    ]


def test_each_image_of_train_and_eval_is_in_one_fold_and_none_of_test(divided: Path) -> None:
    examples = divided / "examples"
    counts = read_counts(examples)
    found = {name: ids(examples, name) for name in counts}

    assert {name: len(names) for name, names in found.items()} == counts
    originals = [one for name, names in found.items() if not name.endswith("-copies") for one in names]
    expected = [f"{split}/{index}.png" for split in ("train", "eval") for index in range(SIZES[split])]
    assert sorted(originals) == sorted(expected)
    assert read_labels(examples) == LABELS
    assert not list(examples.glob("*test*"))


def test_a_copy_is_where_its_source_is(divided: Path) -> None:
    examples = divided / "examples"
    counts = read_counts(examples)
    copies = {one: name for name in counts if name.endswith("-copies") for one in ids(examples, name)}

    assert sorted(copies) == [f"train/{index}.png_aug" for index in range(COPIED)]
    for copy, name in copies.items():
        assert copy.removesuffix("_aug") in ids(examples, name.removesuffix("-copies"))


def test_the_table_has_the_fold_of_every_original(divided: Path) -> None:
    table = read_folds(divided / "folds").to_pylist()

    assert len(table) == SIZES["train"] + SIZES["eval"]
    for fold in range(1, FOLDS + 1):
        held_out = splits_of_fold(fold, read_counts(divided / "examples")).held_out
        found = sorted(one for name in held_out for one in ids(divided / "examples", name))
        assert sorted(row["id"] for row in table if row["fold"] == fold) == found


def test_the_same_images_give_the_same_bytes(divided: Path, tmp_path: Path) -> None:
    divide(divided / "source", tmp_path)

    for path in (divided / "examples").rglob("*.gz"):
        assert (tmp_path / path.relative_to(divided)).read_bytes() == path.read_bytes()
    table = next((divided / "folds").glob("*.parquet"))
    assert (tmp_path / table.relative_to(divided)).read_bytes() == table.read_bytes()


def test_the_state_of_one_folds_training_is_not_taken_for_anothers(divided: Path) -> None:
    examples = divided / "examples"

    def fingerprint(fold: int) -> str:
        splits = splits_of_fold(fold, read_counts(examples))
        train, judging = (
            [str(split_folder(examples, name) / "*") for name in names] for names in (splits.train, splits.eval)
        )
        settings = Settings(ModelOptions(), TrainOptions(), ImageOptions(height=32, width=32))
        return prepare(settings, str(examples), train, judging, splits).fingerprint

    assert fingerprint(1) == fingerprint(1)
    assert fingerprint(1) != fingerprint(2)


@pytest.fixture(scope="module")
def trained(divided: Path) -> Path:
    """The second fold's training."""
    examples = artifact(divided / "examples", list(read_counts(divided / "examples")))
    options: dict[str, Any] = {
        "model_options": ModelOptions(),
        "train_options": TrainOptions(epochs=1, warmup_epochs=0, batch_size=8),
        "image_options": ImageOptions(height=32, width=32),
        "tracking_options": TrackingOptions(tensorboard=False),
        "answer_options": AnswerOptions(),
        "calibrate": 1,
        "flip_average": 1,
        "seed": 0,
        "checkpoint_dir": "",
    }
    component = ImageTrainer(examples=channel_utils.as_channel([examples]), fold=2, **options)
    assert component.id == "Trainer.fold-2"
    properties = {key: value for key, value in component.spec.exec_properties.items() if value is not None}
    model, run = standard_artifacts.Model(), standard_artifacts.ModelRun()
    model.uri, run.uri = str(divided / "model"), str(divided / "run")
    TrainerExecutor().Do({"examples": [examples]}, {"model": [model], "model_run": [run]}, properties)
    assert run.get_float_custom_property("held_out_accuracy") >= 0.0
    return divided


def test_a_folds_predictions_are_what_its_model_says_of_its_images(trained: Path) -> None:
    rows = read_folds(trained / "folds").filter(pc.field("fold") == 2).to_pylist()
    names = [row["id"] for row in rows]
    drawn = {
        f"{split}/{index}.png": image
        for seed, split in enumerate(SIZES)
        for index, image in enumerate(draw_shapes(SIZES[split], seed=seed)[0])
    }
    served = tf.saved_model.load(str(serving_folder(trained / "model")))

    answer = served.signatures["serving_default"](image_bytes=tf.constant([drawn[name] for name in names]))

    np.testing.assert_allclose(read_predictions(trained / "run", names), answer["probabilities"].numpy(), atol=1e-4)


def test_a_folds_model_is_made_from_no_image_that_it_predicts(trained: Path) -> None:
    made_from = read_made_from(trained / "run") or frozenset()
    by_fold = {
        fold: {
            row["id"].ljust(64, ".")[:16] for row in read_folds(trained / "folds").to_pylist() if row["fold"] == fold
        }
        for fold in (1, 2)
    }

    assert made_from == by_fold[1]
    assert not made_from & by_fold[2]


def test_the_figures_name_the_fold(trained: Path) -> None:
    training = json.loads((trained / "run" / "training.json").read_text())
    counts = read_counts(trained / "examples")
    splits = splits_of_fold(2, counts)

    assert training["fold"] == 2
    assert training["train_images"] == sum(counts[name] for name in splits.train)
    assert training["eval_images"] == sum(counts[name] for name in splits.eval)
    assert training["held_out_seen"] == 0
    assert training["held_out_images"] == sum(counts[name] for name in splits.held_out)
