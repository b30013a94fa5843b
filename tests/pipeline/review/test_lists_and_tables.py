"""From suspects to a table to decide in, and from decisions to a table of labels."""

import csv
import io
from typing import Any

import pytest

from components.images.source import SourceError
from components.ingest.label_table import EXCLUDED, Label, read_label_table
from components.ingest.match_labels import Finder, match_labels
from components.ingest.options import LabelColumns
from pipeline.review.decisions import changes, check_decisions
from pipeline.review.merge import merged
from pipeline.review.work_list import as_list

_IMAGES = {
    "train/happy/a.jpg": "happy",
    "train/happy/b.jpg": "happy",
    "train/sad/a.jpg": "sad",
    "=1+1/-c.jpg": "=1+1",
    "@d;e,\"f'.jpg": "sad",
    "sad/sp ace ü \\x09.png": "sad",
}
_CLASSES = ["happy", "sad", "=1+1", "'t"]


def suspects(images: dict[str, str] = _IMAGES) -> list[dict[str, Any]]:
    return [
        {"filename": file, "split": "test", "given": label, "suggested": "happy", "score": 0.1, "confidence": 0.8}
        for file, label in images.items()
    ]


def filled(decisions: dict[str, tuple[str, str]], separator: str = ",") -> bytes:
    """Fill a list as a spreadsheet saves it; by path, what is written into label and exclude."""
    rows = list(csv.reader(io.StringIO(as_list(suspects()))))
    for row in rows[1:]:
        row[1:3] = decisions.get(row[0].removeprefix("./"), ("", ""))
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return ("\ufeff" + text.getvalue()).encode()


def decided(data: bytes) -> dict[str, Label]:
    return check_decisions(read_label_table(data, "list.csv"), Finder(_IMAGES), _CLASSES)


def test_a_list_in_which_nothing_is_decided_labels_nothing() -> None:
    table = read_label_table(as_list(suspects()).encode(), "list.csv")

    assert (table.rows, table.undecided) == ([], len(_IMAGES))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_name_comes_back_whatever_a_spreadsheet_makes_of_the_file(separator: str) -> None:
    data = filled(dict.fromkeys(_IMAGES, ("happy", "")), separator)

    assert decided(data) == dict.fromkeys(sorted(_IMAGES), Label("happy"))


def test_no_cell_begins_like_a_formula() -> None:
    rows = list(csv.reader(io.StringIO(as_list(suspects({"+a.jpg": "=x", "-b.jpg": "@y", "=c.jpg": "ok"})))))

    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_decided_rows_count_and_others_do_not() -> None:
    found = decided(
        filled({"train/sad/a.jpg": ("happy", ""), "@d;e,\"f'.jpg": ("", "x"), "=1+1/-c.jpg": ("'=1+1", "")})
    )

    assert found == {"=1+1/-c.jpg": Label("=1+1"), "@d;e,\"f'.jpg": EXCLUDED, "train/sad/a.jpg": Label("happy")}
    assert changes(found, _IMAGES) == (1, 1, 1)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "train/sad/a.jpg,Hapy",
            r"^list\.csv, line 2: Hapy is no class of the run \(is it happy\?\)\. Its classes: hap",
        ),
        (
            "gone.jpg,happy\nx/y.jpg,sad",
            r"2 of 2 files aren't images of the run: gone\.jpg \(line 2\), x/y\.jpg \(line 3\)\. T",
        ),
        ("a.jpg,happy", r"line 2: a\.jpg may be train/happy/a\.jpg or train/sad/a\.jpg: give more of its path"),
        (
            "sad/a.jpg,happy\ntrain/sad/a.jpg,sad",
            r"decides train/sad/a\.jpg in two ways: happy in line 2, sad in line 3",
        ),
    ],
)
def test_a_decision_that_fits_nothing_is_named(lines: str, message: str) -> None:
    table = read_label_table(f"path,label\n{lines}\n".encode(), "list.csv")

    with pytest.raises(SourceError, match=message):
        check_decisions(table, Finder(_IMAGES), _CLASSES)


def labels_of(text: str, columns: LabelColumns | None = None, names: dict[str, str] | None = None) -> dict[str, str]:
    table = read_label_table(text.encode(), "labels.csv", columns, names)
    found = match_labels(table, Finder(_IMAGES))
    return {file: label.name for file, label in found.labels.items()} | dict(found.left_out)


def test_a_new_table_holds_the_decisions_alone() -> None:
    text = merged({"train/sad/a.jpg": Label("happy"), "=1+1/-c.jpg": EXCLUDED})

    assert text == "path,label,exclude\ntrain/sad/a.jpg,happy,\n./=1+1/-c.jpg,,yes\n"
    assert labels_of(text) == {"train/sad/a.jpg": "happy", "=1+1/-c.jpg": "excluded by data.labels_csv"}


def test_a_table_that_is_there_keeps_its_lines_and_columns() -> None:
    before = b"id;pth;label;relFCs\n7;C:\\faces\\train\\happy\\a.jpg;happy;0.3\n8;elsewhere/z.jpg;sad;0.9\n"
    decisions = {"train/happy/a.jpg": Label("sad"), "train/sad/a.jpg": Label("happy")}

    text = merged(decisions, before, "labels.csv", Finder(_IMAGES))

    assert text.splitlines() == [
        "id;pth;label;relFCs",
        "7;C:\\faces\\train\\happy\\a.jpg;sad;1",
        "8;elsewhere/z.jpg;sad;0.9",
        ";train/sad/a.jpg;happy;1",
    ]


def test_a_table_of_numbers_gets_numbers() -> None:
    columns, names = LabelColumns(path="where", label="what"), {"0": "happy", "1": "sad"}
    before = b"what,where\n1,train/sad/a.jpg\n"

    text = merged({"train/sad/a.jpg": Label("happy")}, before, "labels.csv", Finder(_IMAGES), columns, names)

    assert labels_of(text, columns, names) == {"train/sad/a.jpg": "happy"}
    with pytest.raises(SourceError, match=r"data\.label_names none for =1\+1: add it there"):
        merged({"train/sad/a.jpg": Label("=1+1")}, before, "labels.csv", Finder(_IMAGES), columns, names)


def test_a_decision_can_be_taken_back() -> None:
    excluded = merged({"train/sad/a.jpg": EXCLUDED})

    text = merged({"train/sad/a.jpg": Label("sad")}, excluded.encode(), "labels.csv", Finder(_IMAGES))

    assert labels_of(text) == {"train/sad/a.jpg": "sad"}


def test_votes_are_no_labels_to_change() -> None:
    columns = LabelColumns(votes=("happy", "sad"))

    with pytest.raises(SourceError, match="has votes, which a decision can't be added to"):
        merged({"train/sad/a.jpg": Label("sad")}, b"path,happy,sad\na.jpg,1,2\n", "t.csv", Finder(_IMAGES), columns)


@pytest.mark.parametrize("value", ["maybe", "2"])
def test_an_exclusion_is_yes_or_no(value: str) -> None:
    with pytest.raises(SourceError, match=f"column exclude: yes leaves the image out, .* Received: {value}"):
        read_label_table(f"path,label,exclude\na.jpg,happy,{value}\n".encode(), "t.csv")
