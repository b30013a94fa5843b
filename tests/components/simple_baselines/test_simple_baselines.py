"""SimpleBaselines on small data sets of drawn stripes, whose classes are the stripes' directions."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.formats.dataset import ImageRow, shard_name, write_shard
from components.formats.documents import BASELINES
from components.formats.examples import write_labels
from components.formats.predictions import read_predictions
from components.images.codec import encode
from components.plain_executor import PlainArtifact
from components.simple_baselines.executor import Executor
from components.simple_baselines.read_features import originals, read_features
from components.tools.proportions import wilson

LABELS = ["across", "slanted", "upright"]
_ANGLES = {"across": 90.0, "slanted": 45.0, "upright": 0.0}


def stripes(label: str, number: int, grey: bool = False) -> bytes:
    """A noisy picture of stripes in one direction, of any size between 40 and 140 pixels."""
    rng = np.random.default_rng([number, LABELS.index(label)])
    height, width = rng.integers(40, 140, 2)
    angle = np.deg2rad(_ANGLES[label] + rng.normal(scale=8))
    y, x = np.mgrid[:height, :width]
    waves = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 48 / min(height, width) * rng.uniform(0.5, 0.9))
    pixels = np.clip(128 + 70 * waves + rng.normal(scale=15, size=waves.shape), 0, 255).astype(np.uint8)
    return encode(pixels if grey else np.stack([pixels] * 3, axis=-1), "png" if grey else "jpeg")


def row(split: str, label: str, number: int, copy: int = 0, **values: Any) -> ImageRow:
    data = values.pop("data", None) or stripes(values.pop("drawn", label), number * 7 + len(split), number % 3 == 0)
    source, name = f"{label}/{number}", f"{label}/{number}" + (f"_{copy}" if copy else "")
    digest = hashlib.sha256(data).hexdigest()
    given = {"height": 40, "width": 40, "channels": 1, "format": "png", **values}
    return ImageRow(
        id=f"{split}/{name}", label=label, split=split, image=data, sha256=digest, pixels=digest, phash=None,
        brightness=0.0, group=f"{split}/{source}", source_id=source, copy=copy, filename=name, **given,
    )  # fmt: skip


def rows(split: str, counts: dict[str, int]) -> list[ImageRow]:
    return [row(split, label, number) for label, count in counts.items() for number in range(count)]


def dataset(folder: Path, splits: dict[str, list[ImageRow]], shards: int = 1) -> Path:
    folder.mkdir(parents=True)
    for split in ("train", "eval", "test"):
        found = splits.get(split, [])
        for index in range(shards):
            write_shard(found[index::shards], folder / shard_name(split, index, shards))
    return folder


def measured(folder: Path, splits: dict[str, list[ImageRow]], labels: Iterable[str] = LABELS) -> PlainArtifact:
    dataset(folder / "dataset", splits)
    (folder / "labels").mkdir()
    write_labels(list(labels), folder / "labels")
    made = PlainArtifact(str(folder / "baselines"))
    taken = {"dataset": [PlainArtifact(str(folder / "dataset"))], "labels": [PlainArtifact(str(folder / "labels"))]}
    Executor().Do(taken, {"baselines": [made]}, {})
    return made


def test_directions_of_stripes_are_told_apart_and_the_largest_class_has_its_share(tmp_path: Path) -> None:
    test = rows("test", {"across": 10, "slanted": 20, "upright": 10})
    train, tried = rows("train", dict.fromkeys(LABELS, 30)), rows("eval", dict.fromkeys(LABELS, 10))

    made = measured(tmp_path, {"train": train, "eval": tried, "test": test})

    found = BASELINES.read(made.uri)
    largest, linear = found["largest_class"], found["linear_model"]
    assert (found["images"], largest["label"], linear["train_images"], linear["unknown"]) == (40, "slanted", 90, [])
    assert largest["metrics"]["accuracy"]["value"] == 0.5
    assert (largest["metrics"]["accuracy"]["low"], largest["metrics"]["accuracy"]["high"]) == wilson(0.5, 40)
    assert largest["metrics"]["balanced_accuracy"]["value"] == pytest.approx(1 / 3)
    assert largest["metrics"]["macro_f1"]["value"] == pytest.approx((2 / 3) / 3)
    assert linear["metrics"]["accuracy"]["value"] > 0.9
    assert 0 < linear["metrics"]["macro_f1"]["low"] < linear["metrics"]["macro_f1"]["value"]
    # What it said of each image is kept, and gives these figures.
    said = read_predictions(made.uri, [one.id for one in test]).argmax(axis=1)
    right = np.array([LABELS[index] for index in said]) == [one.label for one in test]
    assert linear["metrics"]["accuracy"]["value"] == right.mean()
    assert made.properties["largest_class"] == "slanted"
    assert made.properties["linear_model_accuracy"] == right.mean()
    assert made.properties["linear_model_low"] == linear["metrics"]["accuracy"]["low"]


def test_the_same_images_in_other_shards_give_the_same_bytes(tmp_path: Path) -> None:
    splits = {split: rows(split, dict.fromkeys(LABELS, 12)) for split in ("train", "eval", "test")}
    made = measured(tmp_path / "one", splits)
    again = measured(tmp_path / "again", splits)

    for name in ("baselines.json", "probabilities.parquet"):
        assert (Path(made.uri) / name).read_bytes() == (Path(again.uri) / name).read_bytes()


def test_copies_are_not_learnt_from_but_judged_as_the_model_is(tmp_path: Path) -> None:
    """Copies of train that are labelled wrong would teach it; those of test count, but as no further image."""
    lying = [row("train", "across", 100 + number, copy=1, drawn="upright") for number in range(40)]
    copies = [row("test", "upright", number, copy) for number in range(10) for copy in (1, 2)]
    splits = {
        "train": rows("train", dict.fromkeys(LABELS, 20)) + lying,
        "eval": rows("eval", dict.fromkeys(LABELS, 5)),
        "test": rows("test", dict.fromkeys(LABELS, 10)) + copies,
    }

    found = BASELINES.read(measured(tmp_path, splits).uri)

    assert (found["images"], found["linear_model"]["train_images"]) == (50, 60)
    assert found["linear_model"]["metrics"]["accuracy"]["value"] > 0.85
    assert found["largest_class"]["metrics"]["accuracy"]["value"] == 0.6
    assert found["largest_class"]["metrics"]["accuracy"]["effective"] <= 30


@pytest.mark.parametrize(
    ("train", "unknown"),
    [
        ({"across": 1, "slanted": 1, "upright": 1}, []),
        ({"across": 9, "upright": 9}, ["slanted"]),
        ({"upright": 4}, ["across", "slanted"]),
        ({"across": 1, "upright": 1}, ["slanted"]),
    ],
)
@pytest.mark.parametrize("tried", [{}, {"across": 2, "slanted": 1}])
def test_classes_of_one_image_and_of_none_are_no_errors(
    train: dict[str, int], unknown: list[str], tried: dict[str, int], tmp_path: Path
) -> None:
    splits = {
        "train": rows("train", train),
        "eval": rows("eval", tried),
        "test": rows("test", {"across": 1, "slanted": 2}),
    }

    made = measured(tmp_path, splits)

    found = BASELINES.read(made.uri)
    assert found["linear_model"]["unknown"] == unknown
    said = read_predictions(made.uri, [one.id for one in splits["test"]])
    assert np.isfinite(said).all()
    assert not said[:, [LABELS.index(label) for label in unknown]].any()
    assert found["largest_class"]["label"] == "slanted"


def test_of_classes_that_are_as_large_the_first_is_taken(tmp_path: Path) -> None:
    splits = {"train": rows("train", {"upright": 2}), "test": rows("test", {"upright": 2, "slanted": 2})}

    assert BASELINES.read(measured(tmp_path, splits).uri)["largest_class"]["label"] == "slanted"


def test_without_an_original_to_learn_from_it_says_what_to_do(tmp_path: Path) -> None:
    splits = {"train": [row("train", "across", 1, copy=1)], "test": rows("test", {"across": 2})}

    with pytest.raises(ValueError, match="train split has no original image .* add "):
        measured(tmp_path, splits)


def test_an_image_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    splits = {"train": rows("train", {"across": 2}), "test": [row("test", "across", 5, data=b"no image")]}

    with pytest.raises(ValueError, match="can't decode test/across/5 of test: ingest the data again"):
        measured(tmp_path, splits)


def test_images_of_no_weight_are_not_learnt_from(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "set", {"train": [row("train", "across", n, weight=n / 4) for n in range(4)]})

    assert originals(folder, "train").tolist() == [1, 2, 3]


def test_of_too_many_images_each_class_gives_the_same_share(tmp_path: Path) -> None:
    train = rows("train", {"across": 40, "slanted": 10, "upright": 1})
    folder = dataset(tmp_path / "a", {"train": train})
    turned_round = dataset(tmp_path / "b", {"train": train[::-1]})

    chosen = [train[index] for index in originals(folder, "train", most=26)]
    others = [train[::-1][index] for index in originals(turned_round, "train", most=26)]

    kept = [one.label for one in chosen]
    assert [kept.count(label) for label in LABELS] == [20, 5, 1]
    assert {one.id for one in chosen} == {one.id for one in others}
    # By digests, so not the first ones.
    assert [one.id for one in chosen] != [one.id for one in train][:20]


def test_features_come_in_the_order_of_the_rows_over_all_shards(tmp_path: Path) -> None:
    train = rows("train", {"across": 7, "upright": 6})
    folder = dataset(tmp_path / "set", {"train": train}, shards=3)
    whole = read_features(folder, "train", np.arange(13))
    alone = dataset(
        tmp_path / "alone", {"train": [train[index] for shard in range(3) for index in range(shard, 13, 3)]}
    )

    np.testing.assert_array_equal(whole, read_features(alone, "train", np.arange(13)))
    np.testing.assert_array_equal(whole[[2, 6, 11]], read_features(folder, "train", np.array([2, 6, 11])))
