"""Each format's number: an older file is read, a newer one is refused in a line."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.formats import documents, examples, pushed_models
from components.formats.dataset import SCHEMA, ImageRow, read_columns, read_shard, shard_name, write_shard
from components.formats.documents import Document
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

    rewrite({"format_version": "2"})
    with pytest.raises(NewerFormatError, match=f"{path} has format 2"):
        list(read_shard(path))
    with pytest.raises(NewerFormatError, match=f"{path} has format 2"):
        read_columns(tmp_path, "train")


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
