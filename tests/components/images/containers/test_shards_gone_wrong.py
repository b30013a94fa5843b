"""Folders of Parquet files as a download that broke off leaves them, and rows that no image can be made of."""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drawn_containers import as_fer2013, as_parquet, drawn, faces, fer2013_rows, parquet_rows

from components.images.containers.open_data import open_data
from components.images.source import Listing, SourceError
from components.ingest.ingest import ingest
from components.ingest.options import DataOptions


def listing(uri: Path) -> Listing:
    return open_data(str(uri)).list()


def test_a_shard_that_is_cut_off_stops_the_run_instead_of_being_left_out(tmp_path: Path) -> None:
    rows = parquet_rows(faces(), "train")
    as_parquet(rows, tmp_path / "train-00000-of-00002.parquet")
    cut = as_parquet(rows, tmp_path / "train-00001-of-00002.parquet")
    cut.write_bytes(cut.read_bytes()[:-500])

    with pytest.raises(SourceError, match=r"train-00001-of-00002\.parquet isn't a whole Parquet file.*: get it again"):
        listing(tmp_path)


def test_a_shard_that_is_not_there_is_reported(tmp_path: Path) -> None:
    for number in (0, 3):
        as_parquet(parquet_rows(faces(), "train"), tmp_path / "data" / f"train-0000{number}-of-00004.parquet")
    (tmp_path / "out").mkdir()

    assert [name for name, _ in listing(tmp_path).unusable] == [
        "data/train-00001-of-00004.parquet",
        "data/train-00002-of-00004.parquet",
    ]
    assert ingest(str(tmp_path), tmp_path / "out", DataOptions())["quarantined"] == 2


def test_a_pipe_among_the_images_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.parquet")

    assert listing(tmp_path).unusable == [("pipe.parquet", "not a regular file")]


def test_rows_without_a_label_are_no_classes(tmp_path: Path) -> None:
    rows = [*parquet_rows(faces(), "train"), *(({"bytes": drawn(seed), "path": None}, -1) for seed in (1, 2))]
    (tmp_path / "out").mkdir()

    summary = ingest(str(as_parquet(rows, tmp_path / "train.parquet")), tmp_path / "out", DataOptions())

    assert (summary["classes"], summary["quarantine_reasons"]) == ({"happy": 6, "sad": 6}, {"no label": 2})


@pytest.mark.parametrize("features", [[1, 2], {"label": {"_type": "ClassLabel", "names": 7}}])
def test_metadata_that_says_nothing_is_left_alone(features: Any, tmp_path: Path) -> None:
    table = pa.table({"image": [drawn(1), drawn(2)], "label": [3, 5]})
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "a.parquet")

    assert listing(tmp_path / "a.parquet").folders == ["3", "5"]


def test_blank_lines_of_fer2013_are_no_rows(tmp_path: Path) -> None:
    path = as_fer2013(fer2013_rows(), tmp_path / "fer2013.csv")
    expected = listing(path)
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\r\n\r\n"))

    assert listing(path) == expected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: as_fer2013([row | {"emotion": "happy"} for row in fer2013_rows()], folder / "fer2013.csv"),
         r"no usable image in .*fer2013\.csv \(14 can't be used; the first: fer0000000\.png: emotion is none of 0–6"),
        (lambda folder: as_parquet([(None, 0), (None, 1)], folder / "a.parquet"),
         r"no usable image in .*a\.parquet \(2 can't be used; the first: a\.parquet#0: no bytes of an image"),
    ],
)  # fmt: skip
def test_where_nothing_can_be_used_the_message_says_why(make: Any, message: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()

    with pytest.raises(SourceError, match=message):
        ingest(str(make(tmp_path)), tmp_path / "out", DataOptions())


def test_a_path_that_is_too_long_is_an_error_of_one_line() -> None:
    with pytest.raises(SourceError, match=r"^data: can't read /x+: File name too long$"):
        open_data(f"/{'x' * 5000}")
