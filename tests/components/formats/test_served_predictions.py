import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.formats.dataset import shard_name
from components.formats.served_predictions import PREDICTIONS, SCHEMA, read_served, read_shard, write_served
from components.formats.version import NewerFormatError

LABELS = ["anger", "überrascht"]


def columns(ids: list[str]) -> dict[str, Any]:
    count = len(ids)
    return {
        "id": ids, "label": [LABELS[1]] * count, "score": [0.75] * count, "probabilities": [[0.25, 0.75]] * count,
        "accepted": [True] * count, "embedding": [None] * count, "brightness": [99.5] * count,
        "sharpness": [12.25] * count, "width": [48] * count, "height": [64] * count,
    }  # fmt: skip


def write(folder: Path, shards: list[list[str]], model: str = "abcd") -> None:
    for index, ids in enumerate(shards):
        write_served(columns(ids), folder / shard_name(PREDICTIONS, index, len(shards)), LABELS, model)


def test_all_shards_are_read_in_order(tmp_path: Path) -> None:
    write(tmp_path, [["b", "a"], ["c"]])
    found = read_served(tmp_path)
    assert found.table.to_pydict() == columns(["b", "a", "c"])
    assert (found.labels, found.model) == (LABELS, "abcd")
    assert found.table.schema == SCHEMA


def test_some_columns_of_one_shard_can_be_read(tmp_path: Path) -> None:
    write(tmp_path, [["b", "a"], ["c"]])
    table = read_served(tmp_path / shard_name(PREDICTIONS, 1, 2), ["width", "id"]).table
    assert table.select(["id", "width"]).to_pydict() == {"id": ["c"], "width": [48]}


class Held(bytes):
    """Bytes that are counted for as long as anybody holds them."""

    held = 0

    def __init__(self, _: bytes) -> None:
        Held.held += 1

    def __del__(self) -> None:
        Held.held -= 1


class OfHeldBytes(io.BytesIO):
    """A file as a store opens it."""

    def read(self, size: int | None = -1) -> bytes:
        return Held(super().read(size))


def test_nothing_of_a_file_that_a_store_opened_is_held_after_it_is_read(tmp_path: Path) -> None:
    write(tmp_path, [["a", "b"]])
    data = (tmp_path / shard_name(PREDICTIONS, 0, 1)).read_bytes()

    for _ in range(500):
        read_shard(OfHeldBytes(data), "store", ["label", "accepted"])
        assert Held.held == 0  # else a thread lets go of it later, and aborts if Python has ended


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    write_served(columns(["a", "b"]), tmp_path / "one.parquet", LABELS, "abcd")
    with (tmp_path / "two.parquet").open("wb") as file:
        write_served(columns(["a", "b"]), file, LABELS, "abcd")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_a_missing_shard_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, [["a"], ["b"]])
    (tmp_path / shard_name(PREDICTIONS, 0, 2)).unlink()
    with pytest.raises(FileNotFoundError, match="shards of predictions are missing"):
        read_served(tmp_path)


def test_shards_of_two_models_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, [["a"], ["b"]])
    write_served(columns(["b"]), tmp_path / shard_name(PREDICTIONS, 1, 2), LABELS, "other")
    with pytest.raises(ValueError, match="of several models"):
        read_served(tmp_path)


def test_another_file_is_no_table_of_predictions(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "other.parquet")
    with pytest.raises(ValueError, match="holds no predictions"):
        read_served(tmp_path / "other.parquet")
    (tmp_path / "text.parquet").write_text("no Parquet")
    with pytest.raises(ValueError, match=r"text\.parquet is no Parquet file"):
        read_served(tmp_path / "text.parquet")


def test_a_later_format_is_refused(tmp_path: Path) -> None:
    write(tmp_path, [["a"]])
    path = tmp_path / shard_name(PREDICTIONS, 0, 1)
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"format_version": b"99"}), path)
    with pytest.raises(NewerFormatError):
        read_served(tmp_path)
