"""Each format's number: an older file is read, a newer one is refused in a line."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.formats import documents, examples, pushed_models
from components.formats.dataset import (
    SCHEMA,
    ImageRow,
    read_columns,
    read_shard,
    read_table,
    shard_name,
    write_shard,
    write_table,
)
from components.formats.documents import Document
from components.formats.predictions import read_predictions, write_predictions
from components.formats.version import NewerFormatError

ROW = ImageRow("a/1.png", "a", "train", b"x", "png", 1, 1, 3, "s", "p", None, 0.0, "g", "a/1.png", 0, "1.png")
NAMES = [value for module in (documents, examples, pushed_models) for value in vars(module).values()]
DOCUMENTS = {value.name: value for value in NAMES if isinstance(value, Document)}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_carries_its_number(name: str, tmp_path: Path) -> None:
    document, path = DOCUMENTS[name], tmp_path / name
    document.write({"a": 1}, tmp_path)

    assert document.read(tmp_path) == {"a": 1}
    assert json.loads(path.read_text())["format_version"] == document.version

    path.write_text('{"a": 1}')  # of an older program
    assert document.read(tmp_path) == {"a": 1}

    newer = document.version + 1
    path.write_text(json.dumps({"a": 1, "format_version": newer}))
    with pytest.raises(NewerFormatError, match=f"^{path} has format {newer}, and this program reads up to {newer - 1}"):
        document.read(tmp_path)


def test_shards_carry_their_number(tmp_path: Path) -> None:
    path = tmp_path / shard_name("train", 0, 1)
    write_shard([ROW], path)
    table = pq.read_table(path)

    def rewrite(metadata: dict[str, str]) -> None:
        pq.write_table(pa.table(table.columns, schema=SCHEMA.with_metadata(metadata)), path)

    rewrite({})  # of an older program
    assert list(read_shard(path)) == [ROW]

    rewrite({"format_version": "3"})
    with pytest.raises(NewerFormatError, match=f"{path} has format 3"):
        list(read_shard(path))
    with pytest.raises(NewerFormatError, match=f"{path} has format 3"):
        read_columns(tmp_path, "train")


def test_tables_and_predictions_carry_a_number_of_their_own(tmp_path: Path) -> None:
    write_table(pa.table({"id": ["a"]}), tmp_path / "table.parquet")
    write_predictions(["a"], np.array([[0.25, 0.75]], np.float32), tmp_path)
    [predictions] = tmp_path.glob("prob*.parquet")

    assert read_table(tmp_path / "table.parquet").to_pylist() == [{"id": "a"}]
    for path in (tmp_path / "table.parquet", predictions):
        table = pq.read_table(path)
        assert table.schema.metadata[b"format_version"] == b"1"
        pq.write_table(table.replace_schema_metadata({"format_version": "2"}), path)

    with pytest.raises(NewerFormatError, match=r"table\.parquet has format 2"):
        read_table(tmp_path / "table.parquet")
    with pytest.raises(NewerFormatError, match=r"parquet has format 2"):
        read_predictions(tmp_path, ["a"])


@pytest.mark.parametrize("ids", [["a"], ["a", "a"], ["a", "b", "c"]])
def test_each_prediction_needs_an_id_of_its_own(ids: list[str], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="each row needs an id of its own. Received: 2 rows"):
        write_predictions(ids, np.zeros((2, 3), np.float32), tmp_path)


def test_a_pushed_model_says_of_which_format_it_is(tmp_path: Path) -> None:
    assets = tmp_path / "7" / "assets.extra"
    assets.mkdir(parents=True)
    (tmp_path / "7" / "saved_model.pb").touch()
    (assets / "label_map.json").write_text('{"labels": ["a"]}')
    (assets / "run.json").write_text('{"recipe": "r", "data_digest": "d"}')  # of an older program
    [version] = pushed_models.list_versions(str(tmp_path))
    assert version.origin == pushed_models.Origin("r", "d")
    assert version.labels == ("a",)

    (assets / "run.json").write_text('{"format_version": 2}')
    with pytest.raises(NewerFormatError, match=r"run\.json has format 2"):
        pushed_models.list_versions(str(tmp_path))
