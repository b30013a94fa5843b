import pytest

from components.images.source import SourceError
from components.images.split_tables import read_rows


def test_rows_of_a_table_are_checked_for_their_number_of_fields() -> None:
    rows = read_rows("train.csv", "label,filename\nhappy,a.jpg\n\nhappy\n", ["label", "filename"])
    assert rows is not None
    assert next(rows) == ["happy", "a.jpg"]
    with pytest.raises(SourceError, match=r"train\.csv, line 4: 1 fields instead of 2"):
        next(rows)


def test_somebody_elses_table_is_left_alone() -> None:
    for text in ("", "id,parents\n1,2\n", "\0", "x" * 200_000 + "\n"):
        assert read_rows("train.csv", text, ["label", "filename"]) is None
