from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from components.formats.artifacts import Analysis, ImageDataset
from components.formats.dataset import ImageRow, shard_name, write_shard
from components.formats.examples import read_labels, read_metadata_columns
from components.formats.groups import read_groups
from components.images.codec import encode
from components.tfrecord.convert import convert
from components.tfrecord.executor import Executor


def row(name: str, label: str, copy: int = 0, split: str = "train") -> ImageRow:
    pixels = np.full((4, 5, 3), len(name), np.uint8)
    return ImageRow(
        id=name, label=label, split=split, image=encode(pixels, "png"), format="png", height=4, width=5, channels=3,
        sha256="ab", pixels="cd", phash=None, brightness=1.0, group="g", source_id="s", copy=copy, filename=name,
    )  # fmt: skip


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "dataset"
    folder.mkdir()
    write_shard([row("é\n.png", "sad"), row("b.png", "happy", copy=2)], folder / shard_name("train", 0, 2))
    write_shard([row("c.png", "sad")], folder / shard_name("train", 1, 2))
    write_shard([row("d.png", "anger", split="eval")], folder / shard_name("eval", 0, 1))
    write_shard([], folder / shard_name("test", 0, 1))
    return folder


def read(folder: Path) -> list[dict[str, object]]:
    files = [str(path) for path in sorted(folder.glob("*.gz"))]
    rows = []
    for record in tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        rows.append({name: (f.bytes_list.value or f.int64_list.value)[0] for name, f in features.items()})
    return rows


def test_examples_have_tensorflows_names_and_labels_sorted_over_all_splits(dataset: Path, tmp_path: Path) -> None:
    counts = convert(dataset, tmp_path / "examples")

    first, second, third = read(tmp_path / "examples" / "Split-train")
    assert counts == {"train": 3, "eval": 1, "test": 0}
    assert read_labels(tmp_path / "examples") == ["anger", "happy", "sad"]
    assert first == {
        "image/encoded": row("é\n.png", "sad").image,
        "image/format": b"png",
        "image/height": 4,
        "image/width": 5,
        "image/channels": 3,
        "image/id": "é\n.png".encode(),
        "image/filename": "é\n.png".encode(),
        "image/source_id": b"s",
        "image/class/label": 2,
        "image/class/text": b"sad",
        "image/augmented": 0,
        "image/key/sha256": b"ab",
        "image/group": b"g",
    }
    assert (second["image/class/label"], second["image/augmented"]) == (1, 1)
    assert third["image/filename"] == b"c.png"


def test_what_is_known_of_images_follows_in_features_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "dataset"
    folder.mkdir()
    said = (("camera/ä", "cellar"), ("image/encoded", ""))
    for split in ("train", "eval", "test"):
        write_shard([replace(row("a.png", "sad", split=split), metadata=said)], folder / shard_name(split, 0, 1))
    split, examples, labels, groups = ImageDataset(), standard_artifacts.Examples(), Analysis(), Analysis()
    split.uri, examples.uri = str(folder), str(tmp_path / "examples")
    labels.uri, groups.uri = str(tmp_path / "labels"), str(tmp_path / "groups")

    Executor().Do({"dataset": [split]}, {"examples": [examples], "labels": [labels], "groups": [groups]}, {})

    [example] = read(tmp_path / "examples" / "Split-test")
    assert example["image/metadata/camera/ä"] == b"cellar"
    assert example["image/metadata/image/encoded"] == b""
    assert example["image/encoded"] == row("a.png", "sad").image
    for artifact in (examples, labels):
        assert read_metadata_columns(artifact.uri) == ["camera/ä", "image/encoded"]
    assert read_groups(groups.uri)["metadata"].to_pylist() == [list(said)] * 3


def test_the_same_data_gives_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    convert(dataset, tmp_path / "one")
    convert(dataset, tmp_path / "two")

    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert len(files) == 5
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_missing_shard_is_an_error(dataset: Path, tmp_path: Path) -> None:
    (dataset / shard_name("train", 0, 2)).unlink()

    with pytest.raises(FileNotFoundError, match="shards of train are missing"):
        convert(dataset, tmp_path / "examples")


def test_the_label_map_and_the_groups_are_given_by_themselves(dataset: Path, tmp_path: Path) -> None:
    split, examples, labels, groups = ImageDataset(), standard_artifacts.Examples(), Analysis(), Analysis()
    split.uri, examples.uri = str(dataset), str(tmp_path / "examples")
    labels.uri, groups.uri = str(tmp_path / "labels"), str(tmp_path / "groups")

    Executor().Do({"dataset": [split]}, {"examples": [examples], "labels": [labels], "groups": [groups]}, {})

    [alone] = (tmp_path / "labels").iterdir()
    assert alone.read_bytes() == (tmp_path / "examples" / "label_map.json").read_bytes()
    assert read_labels(labels.uri) == ["anger", "happy", "sad"]
    found = [(row["split"], row["label"], row["group"], row["sha256"]) for row in read_groups(groups.uri).to_pylist()]
    assert found == [("train", label, "g", "ab") for label in ("sad", "happy", "sad")] + [("eval", "anger", "g", "ab")]
