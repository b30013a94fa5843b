import pytest

from components.images.source import SourceError
from components.images.split_tables import read_lineage, read_rows

FILES = ["train/c/a.jpg", "train/c/a_aug1.jpg", "train/c/b.jpg"]
HEADER = "file,source,copy\n"


def test_the_table_gives_source_and_number_of_each_copy() -> None:
    text = "\ufeff" + HEADER + "train/c/a_aug1.jpg,train/c/a.jpg,1\r\n"
    assert read_lineage(text, FILES) == {"train/c/a_aug1.jpg": ("train/c/a.jpg", 1)}


def test_somebody_elses_table_is_left_alone() -> None:
    for text in ("", "id,parents\n1,2\n", "\0", "x" * 200_000 + "\n"):
        assert read_lineage(text, FILES) is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train/c/gone.jpg,train/c/a.jpg,1", "lists a copy that is not there: train/c/gone.jpg. Delete the table"),
        ("train/c/b.jpg,train/c/gone.jpg,1", "names a source of train/c/b.jpg that is not there: train/c/gone.jpg"),
        ("train/c/b.jpg,../../victim.jpg,1", r"names a source of train/c/b.jpg that is not there: \.\./"),
        ("/etc/passwd,train/c/a.jpg,1", "lists a copy that is not there: /etc/passwd"),
        ('"train/c/new\nline.jpg",train/c/a.jpg,1', r"lists a copy that is not there: train/c/new\\nline.jpg\. D"),
        ("train/c/b.jpg,train/c/a.jpg,-1", "has no copy number for train/c/b.jpg. Received: -1"),
        ("train/c/b.jpg,train/c/a.jpg,²", "has no copy number"),
        ("train/c/b.jpg,train/c/a.jpg," + "9" * 5000, "has no copy number"),
        ("train/c/b.jpg,train/c/b.jpg,1", "makes train/c/b.jpg a copy of itself"),
        ("train/c/a.jpg,train/c/a_aug1.jpg,1", "a copy of itself"),
        ("train/c/a_aug1.jpg,train/c/b.jpg,1", "gives train/c/a_aug1.jpg two sources: train/c/a.jpg, train/c/b.jpg"),
        ("train/c/b.jpg,train/c/a.jpg", "line 3: 2 fields instead of 3"),
        ("train/c/b.jpg,train/c/a.jpg,1,2", "line 3: 4 fields instead of 3"),
        ("train/c/b.jpg,train/c/a\0.jpg,1", r"line 3: .*NUL|not there: train/c/a\\x00.jpg"),
        ("train/c/b.jpg," + "x" * 200_000 + ",1", "line 3: field larger than"),
    ],
)
def test_a_stale_or_contradictory_table_is_an_error_of_one_line(line: str, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        read_lineage(f"{HEADER}train/c/a_aug1.jpg,train/c/a.jpg,1\n{line}\n", FILES)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_rows_of_a_table_are_checked_for_their_number_of_fields() -> None:
    rows = read_rows("train.csv", "label,filename\nhappy,a.jpg\n\nhappy\n", ["label", "filename"])
    assert rows is not None
    assert next(rows) == ["happy", "a.jpg"]
    with pytest.raises(SourceError, match=r"train\.csv, line 4: 1 fields instead of 2"):
        next(rows)
