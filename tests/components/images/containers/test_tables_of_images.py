"""Hugging Face's Parquet files and FER2013's table, read as if their images lay in folders."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drawn_containers import (
    LABELS,
    as_fer2013,
    as_folder,
    as_parquet,
    contents,
    drawn,
    faces,
    fer2013_rows,
    listing,
    parquet_rows,
)

from components.images.codec import decode
from components.images.containers.open_data import open_data
from components.images.source import LocalSource, SourceError


def test_a_parquet_of_hugging_face_is_a_folder_of_classes(tmp_path: Path) -> None:
    path = as_parquet(parquet_rows(faces(), "train"), tmp_path / "train-00000-of-00001.parquet")

    assert contents(path) == {
        name.removeprefix("train/"): data for name, data in faces().items() if name.startswith("train/")
    }


@pytest.mark.parametrize(
    ("first", "second", "test"),
    [
        ("data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet", "data/test-00000-of-00001.parquet"),
        ("train-00000-of-00002.parquet", "train-00001-of-00002.parquet", "test-00000-of-00001.parquet"),
        ("default/train/0000.parquet", "default/train/0001.parquet", "default/test/0000.parquet"),
        ("beans-train-00000-of-00002.parquet", "beans-train-00001-of-00002.parquet", "beans-test.parquet"),
        ("training.parquet", "train.parquet", "test.parquet"),
    ],
)
def test_shards_in_a_folder_are_splits_by_their_names(first: str, second: str, test: str, tmp_path: Path) -> None:
    train = parquet_rows(faces(), "train")
    as_parquet(train[:7], tmp_path / first)
    as_parquet(train[7:], tmp_path / second)
    as_parquet(parquet_rows(faces(), "test"), tmp_path / test)
    (tmp_path / "README.md").write_text("# Faces")

    assert contents(tmp_path) == faces()


def test_validation_is_eval_and_a_split_that_is_not_known_is_an_error(tmp_path: Path) -> None:
    rows = parquet_rows(faces(), "train")
    as_parquet(rows, tmp_path / "train-00000-of-00001.parquet")
    as_parquet(rows[:2], tmp_path / "validation-00000-of-00001.parquet")
    assert {file_id.split("/")[0] for file_id in contents(tmp_path)} == {"train", "val"}

    as_parquet(rows[:2], tmp_path / "extra-00000-of-00001.parquet")
    with pytest.raises(SourceError, match=r"extra-00000-of-00001\.parquet is of a split \(extra\) that isn't known"):
        listing(tmp_path)


def test_rows_of_a_parquet_are_all_accounted_for(tmp_path: Path) -> None:
    image = {"bytes": drawn(1), "path": None}
    twins = [({"bytes": drawn(seed), "path": "a.png"}, 0) for seed in (2, 3)]
    rows = [
        (image, 0),
        (image, -1),
        (image, None),
        (image, 7),
        ({"bytes": None, "path": "x.png"}, 1),
        (None, 1),
        *twins,
    ]
    found = listing(as_parquet(rows, tmp_path / "train-00000-of-00001.parquet"))

    assert found.files == [
        "happy/a.png",
        "happy/train-00000-of-00001-000000.png",
        "happy/train-00000-of-00001-000007-a.png",
    ]
    assert [reason for _, reason in found.unusable] == [
        "no label: -1",
        "no label: None",
        "no label: 7",
        "no bytes of an image, only its path",
        "no bytes of an image",
    ]


def test_labels_of_a_parquet_may_be_text_and_have_a_slash(tmp_path: Path) -> None:
    rows = [({"bytes": drawn(1), "path": "a.png"}, "and/or"), ({"bytes": drawn(2), "path": "b.png"}, " sad ")]

    assert listing(as_parquet(rows, tmp_path / "a.parquet", None)).files == ["and_or/a.png", "sad/b.png"]


def test_plain_bytes_and_numbers_without_names_are_taken(tmp_path: Path) -> None:
    table = pa.table({"img": [drawn(1), drawn(2)], "label": [3, 5], "note": ["x", "y"]})
    pq.write_table(table, tmp_path / "a.parquet")

    assert listing(tmp_path / "a.parquet").folders == ["3", "5"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"label": [1], "text": ["x"]}, r"a\.parquet has no column of images. Columns are label, text"),
        ({"image": [b"x"], "text": ["x"]}, r"a\.parquet has no column of labels. Columns are image, text"),
        ({"left": [b"x"], "right": [b"x"], "label": [1]}, r"a\.parquet has several columns of images"),
    ],
)
def test_a_parquet_without_images_or_labels_is_refused(table: Any, message: str, tmp_path: Path) -> None:
    pq.write_table(pa.table(table), tmp_path / "a.parquet")

    with pytest.raises(SourceError, match=message):
        listing(tmp_path / "a.parquet")


def test_shards_must_agree_on_the_classes_and_be_whole(tmp_path: Path) -> None:
    rows = parquet_rows(faces(), "train")
    as_parquet(rows, tmp_path / "train-0.parquet")
    last = as_parquet(rows, tmp_path / "train-1.parquet", LABELS[::-1])
    with pytest.raises(SourceError, match=r"train-1\.parquet names its classes differently"):
        listing(tmp_path)

    damaged = bytearray(as_parquet(rows, last).read_bytes())
    damaged[4:60] = bytes(56)
    last.write_bytes(damaged)
    with pytest.raises(SourceError, match=r"train-1\.parquet can't be read as Parquet"):
        listing(tmp_path)


def test_parquet_beside_images_is_ambiguous_and_one_without_images_changes_nothing(tmp_path: Path) -> None:
    folder = as_folder(faces(), tmp_path / "faces")
    pq.write_table(pa.table({"file": ["x"]}), folder / "meta.parquet")
    assert isinstance(open_data(str(folder)), LocalSource)

    as_parquet(parquet_rows(faces(), "train"), folder / "train.parquet")
    with pytest.raises(SourceError, match=r"holds images both in Parquet \(train\.parquet\) and in files"):
        open_data(str(folder))


@pytest.mark.parametrize(
    "header",
    [
        {"emotion": "emotion", "pixels": "pixels", "Usage": "Usage"},
        {"emotion": "emotion", "Usage": " Usage", "pixels": " pixels"},  # icml_face_data.csv
        {"pixels": "\ufeffpixels", "emotion": "Emotion", "Usage": "usage"},
    ],
)
def test_fer2013_has_its_emotions_splits_and_the_names_of_ferplus(header: dict[str, str], tmp_path: Path) -> None:
    rows = fer2013_rows()
    found = contents(as_fer2013(rows, tmp_path / "fer2013.csv", header))

    assert len(found) == 14
    assert {"train/happy/fer0000000.png", "train/sad/fer0000009.png", "val/happy/fer0000010.png"} < set(found)
    assert "test/sad/fer0000013.png" in found
    pixels = np.array(rows[13]["pixels"].split(), np.uint8).reshape(48, 48)
    assert np.array_equal(decode(found["test/sad/fer0000013.png"]).pixels, pixels)


def test_the_emotions_of_fer2013_are_the_published_ones(tmp_path: Path) -> None:
    rows = [{**row, "emotion": str(number), "Usage": "Training"} for number, row in enumerate(fer2013_rows(7))]
    found = contents(as_fer2013(rows, tmp_path / "a.csv"))

    published = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert set(found) == {f"{label}/fer000000{number}.png" for number, label in enumerate(published)}
    assert contents(as_fer2013(rows, tmp_path / "b.csv")) == found


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"emotion": "7"}, "emotion is none of 0–6: '7' in line 3"),
        ({"emotion": ""}, "emotion is none of 0–6: '' in line 3"),
        ({"Usage": "Other"}, "Usage is no split of FER2013: 'Other' in line 3"),
        ({"pixels": "1 2 3"}, "3 pixels, not 48×48: line 3"),
        ({"pixels": ""}, "0 pixels, not 48×48: line 3"),
        ({"pixels": "1 two 3"}, "pixels that aren't whole numbers: line 3"),
        ({"pixels": " ".join(["256"] * 2304)}, "pixels from 256 to 256, not from 0 to 255: line 3"),
        ({"pixels": " ".join(["-1"] * 2304)}, "pixels from -1 to -1, not from 0 to 255: line 3"),
    ],
)
def test_a_row_of_fer2013_that_cannot_be_used_is_named(change: dict[str, str], reason: str, tmp_path: Path) -> None:
    rows = fer2013_rows()
    rows[1] |= change
    found = listing(as_fer2013(rows, tmp_path / "fer2013.csv"))

    assert (len(found.files), found.unusable) == (13, [("fer0000001.png", reason)])
