import json
import os
import re
from pathlib import Path

import pytest

from components.tools.files import as_json, content_digest, replacing, write_text


def test_the_digest_of_what_an_option_names_is_that_of_its_content(tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "variables").mkdir(parents=True)
    weights = model / "variables" / "variables.index"
    weights.write_bytes(b"a")
    before = content_digest(str(model)), content_digest(str(weights))
    moved = model.rename(tmp_path / "moved")

    assert (content_digest(str(moved)), content_digest(str(moved / "variables" / weights.name))) == before
    (moved / "variables" / weights.name).write_bytes(b"b")
    assert content_digest(str(moved)) != before[0]
    assert content_digest("imagenet") == content_digest(None) == ""


def test_lists_of_numbers_are_a_line_each() -> None:
    value = {
        "a": [[1, -2.5e-7], [0, 3]],
        "b": ["1", "[\n 2\n]"],
        "c": [1, None],
        "d": [],
        "e": [1, [2]],
        "f": [{"g": 1}],
    }

    text = as_json(value)

    assert json.loads(text) == value
    assert text.startswith('{\n "a": [\n  [1, -2.5e-07],\n  [0, 3]\n ],\n "b": [\n  "1",\n  "[\\n 2\\n]"\n ],\n')


def test_of_two_that_write_a_file_at_once_each_writes_it_whole(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    with replacing(file) as first:
        first.write_text("first")
        write_text("second", file)
        assert file.read_text() == "second"

    assert file.read_text() == "first"
    assert list(tmp_path.iterdir()) == [file]


def test_what_a_killed_writer_left_goes_with_the_next_one_but_nothing_else_does(tmp_path: Path) -> None:
    file = tmp_path / "p[1].csv"
    with replacing(file) as temporary:
        assert re.fullmatch(r"\.p\[1\]\.csv\.[0-9a-f]{8}\.tmp", temporary.name)
        temporary.touch()
    written_now = tmp_path / ".p[1].csv.00000000.tmp"
    left, others = tmp_path / ".p[1].csv.deadbeef.tmp", tmp_path / ".p[1].csv.notes.tmp"
    for path in (written_now, left, others):
        path.touch()
    for path in (left, others):
        os.utime(path, (1e9, 1e9))

    write_text("rows", file)

    assert sorted(tmp_path.iterdir()) == sorted([file, written_now, others])


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("old")

    with pytest.raises(UnicodeEncodeError):
        write_text("\udcff", file)

    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
