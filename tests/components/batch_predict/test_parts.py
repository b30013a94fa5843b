"""Parts of tables that can't be read to their end."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.batch_predict.parts import TablePart


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "faces.parquet"
    pq.write_table(pa.table({"id": ["a"] * 50, "image": [b"none"] * 50}), path, use_dictionary=False)
    return path


def part(table: Path) -> TablePart:
    return TablePart(0, str(table), table.name, (0,), "image", "id")


def test_rows_are_read_in_their_order(table: Path) -> None:
    assert [given.id for given in part(table).images()] == ["a"] * 50


def test_damaged_pages_are_named_with_the_file(table: Path) -> None:
    data = table.read_bytes()
    table.write_bytes(data[:4] + b"\xff" * 60 + data[64:])

    with pytest.raises(ValueError, match=r"faces\.parquet is damaged at row 0 or behind it: get it again"):
        list(part(table).images())


def test_names_that_are_no_text_are_named_with_the_file(table: Path) -> None:
    names = pa.Array.from_buffers(pa.string(), 50, pa.array([b"\xff"] * 50, pa.binary()).buffers())
    pq.write_table(pa.table({"id": names, "image": [b"none"] * 50}), table)

    with pytest.raises(ValueError, match=r"faces\.parquet is damaged .* \(UnicodeDecodeError\)"):
        list(part(table).images())
