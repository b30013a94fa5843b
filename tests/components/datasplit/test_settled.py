"""Images that go, come or change between an interrupted in-place split and the run that finishes it."""

import csv
from pathlib import Path

import pytest
from click.testing import Result
from datasplit_command import SEALED, done, killed, tree
from drawn_images import draw, draw_folder

from components.images.split_tables import read_lineage

# `datasplit` imports Beam when the work begins.
pytestmark = pytest.mark.heavy


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """A folder whose split is made, and nothing of it moved."""
    data = draw_folder(tmp_path / "data", {"a": 12, "b": 20})
    killed(tmp_path, str(data), at=SEALED)
    assert (data / ".datasplit" / "commit.json").exists()
    return data


def listed(data: Path) -> list[str]:
    """What the tables say is there."""
    found = []
    for split in ("train", "test"):
        with (data / f"{split}.csv").open(newline="") as file:
            found += [f"{split}/{row['label']}/{row['filename']}" for row in csv.DictReader(file)]
    return sorted(found)


def there(data: Path) -> list[str]:
    return sorted(name for name in tree(data) if "/" in name)


def moving(data: Path) -> list[str]:
    """Paths below train of the originals that are to be moved to test."""
    [moves] = data.glob(".datasplit/stage-*/moves")
    return moves.read_text().split("\0")[:-1]


def said(result: Result) -> str:
    return " ".join(result.output.split())


def test_without_a_change_nothing_is_said(sealed: Path) -> None:
    result = done(sealed, "--balance", "--seed", 3)

    assert "Since the split began" not in result.output
    assert "not used" not in result.output
    assert listed(sealed) == there(sealed)


def test_images_that_are_gone_are_named_and_not_listed(sealed: Path) -> None:
    moved = moving(sealed)[0]
    kept = next(path for path in (sealed / "train" / "b").iterdir() if f"b/{path.name}" not in moving(sealed))
    (sealed / "train" / moved).unlink()
    kept.unlink()

    result = done(sealed)

    assert f"Since the split began, 2 images are gone: train/b/{kept.name}, test/{moved}." in said(result)
    assert listed(sealed) == there(sealed)
    assert read_lineage((sealed / "lineage.csv").read_text(), there(sealed)) is not None  # names nothing that is gone


def test_images_that_came_are_named_and_listed_but_no_other_files(sealed: Path) -> None:
    draw(sealed / "train" / "a" / "new.jpg", seed=77)
    (sealed / "train" / "a" / "notes.txt").write_text("no image")

    result = done(sealed)

    assert "Since the split began, 1 image is new: train/a/new.jpg. train.csv lists them, but" in said(result)
    assert listed(sealed) == [name for name in there(sealed) if not name.endswith(".txt")]
    table = (sealed / "train.csv").read_text().splitlines()
    assert table[1:] == sorted(table[1:])


def test_images_that_changed_are_named(sealed: Path) -> None:
    changed, touched = moving(sealed)[:2]
    draw(sealed / "train" / changed, seed=78)
    (sealed / "train" / touched).touch()

    result = done(sealed)

    assert f"Since the split began, 1 image is other than before: train/{changed}. Their copies" in said(result)
    assert listed(sealed) == there(sealed)


def test_of_many_ten_are_named_and_all_are_counted(sealed: Path) -> None:
    for path in (sealed / "train" / "b").iterdir():
        path.unlink()

    assert "Since the split began, 20 images are gone: " in said(done(sealed))
    assert listed(sealed) == there(sealed)


def test_records_of_a_forged_workspace_name_nothing_outside(sealed: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    [stage] = sealed.glob(".datasplit/stage-*")
    (stage / "sources").write_bytes(
        b"../../secret\0" + b"0" * 64 + b"\0" + str(tmp_path / "secret").encode() + b"\0x\0"
    )
    (stage / "lineage.csv").write_bytes(b"")

    assert "secret" not in done(sealed).output
    assert listed(sealed) == there(sealed)
