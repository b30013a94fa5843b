"""Several data folders, read as one."""

import csv
import shutil
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from ingested import draw, rows, run

from components.datasplit.__main__ import main as datasplit
from components.images.folder_digest import folder_digest, quick_digest
from components.images.places import as_uri
from components.images.source import SourceError
from components.images.spans import find_places
from components.ingest.options import DataOptions


def span(root: Path, name: str, first: int, classes: tuple[str, ...] = ("happy", "sad"), images: int = 4) -> Path:
    for number in range(images):
        draw(root / name / classes[number % len(classes)] / f"{number}.png", first + number)
    return root / name


@pytest.fixture
def spans(tmp_path: Path) -> str:
    root = tmp_path / "faces"
    span(root, "2026-10", 0)
    span(root, "2026-11", 100)
    return f"{root}/{{YYYY}}-{{MM}}"


def test_ids_begin_with_their_folder_and_same_names_are_no_duplicates(spans: str, tmp_path: Path) -> None:
    summary = run(find_places([spans]), tmp_path / "out")

    assert sorted(rows(tmp_path / "out")) == [
        f"2026-{month}/{label}/{number}.png"
        for month in (10, 11)
        for label, number in (("happy", 0), ("happy", 2), ("sad", 1), ("sad", 3))
    ]
    assert summary["classes"] == {"happy": 4, "sad": 4}
    assert list(summary["folders"]) == ["2026-10", "2026-11"]
    assert summary["folders"]["2026-10"] == {"images": 4, "classes": {"happy": 2, "sad": 2}, "splits": {}}
    assert summary["duplicates"]["exact"] == 0
    assert summary["notes"] == []


def test_the_same_picture_in_two_folders_is_a_duplicate(spans: str, tmp_path: Path) -> None:
    root = tmp_path / "faces"
    shutil.copy(root / "2026-10/happy/0.png", root / "2026-11/happy/again.png")
    shutil.copy(root / "2026-10/happy/2.png", root / "2026-11/sad/other.png")

    summary = run(find_places([spans]), tmp_path / "out")

    assert summary["duplicates"]["exact"] == 2
    assert summary["duplicates"]["conflict"] == 2
    found = rows(tmp_path / "out")
    assert found["2026-10/happy/0.png"].pixels == found["2026-11/happy/again.png"].pixels


def test_the_order_in_which_folders_are_named_changes_no_byte(spans: str, tmp_path: Path) -> None:
    one, other = tmp_path / "faces/2026-10", tmp_path / "faces/2026-11"

    run(find_places([str(one), str(other)]), tmp_path / "first")
    run(find_places([str(other), str(one)]), tmp_path / "second")
    run(find_places([spans]), tmp_path / "third")

    for path in (tmp_path / "first").iterdir():
        for other_run in ("second", "third"):
            assert path.read_bytes() == (tmp_path / other_run / path.name).read_bytes()


def test_an_archive_and_a_folder_are_read_together(spans: str, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "old.tar", "w") as archive:
        archive.add(tmp_path / "faces/2026-10", "faces")
    shutil.rmtree(tmp_path / "faces/2026-10")

    summary = run(find_places([str(tmp_path / "old.tar"), spans]), tmp_path / "out")

    assert {name: folder["images"] for name, folder in summary["folders"].items()} == {"old.tar": 4, "2026-11": 4}
    assert "old.tar/happy/0.png" in rows(tmp_path / "out")


def test_each_folder_has_its_own_layout(tmp_path: Path) -> None:
    draw(tmp_path / "old/train/happy/a.png", 1)
    draw(tmp_path / "old/train/sad/b.png", 2)
    draw(tmp_path / "old/test/happy/a.png", 3)
    draw(tmp_path / "old/test/sad/b.png", 4)
    span(tmp_path, "new", 10)

    summary = run(find_places([str(tmp_path / "old"), str(tmp_path / "new")]), tmp_path / "out")

    splits = {file_id: row.split for file_id, row in rows(tmp_path / "out").items()}
    assert splits["old/test/happy/a.png"] == "test"
    assert splits["old/train/happy/a.png"] == splits["new/happy/0.png"] == ""
    assert summary["classes"] == {"happy": 4, "sad": 4}
    [note] = summary["notes"]
    assert note.startswith("Images for test are given in old, so there are no others: new, which has none")


def test_what_one_folder_alone_has_is_told(spans: str, tmp_path: Path) -> None:
    draw(tmp_path / "faces/2026-11/calm/c.png", 7)
    (tmp_path / "faces/2026-12/happy").mkdir(parents=True)
    (tmp_path / "faces/2027-01").mkdir()

    summary = run(find_places([spans]), tmp_path / "out")

    assert summary["notes"] == [
        "There is no image in 2026-12, 2027-01.",
        "The class calm is only in 2026-11.",
    ]
    assert summary["classes"]["calm"] == 1


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (("Happy", "sad"), "one class in two spellings.*'Happy' .2026-12.*'happy' .2026-10"),
        (("0", "1"), "2026-12 has numbers for classes .0, 1., and 2026-10 has names .happy, sad."),
    ],
)
def test_classes_must_be_called_alike_in_all_folders(
    classes: tuple[str, ...], message: str, spans: str, tmp_path: Path
) -> None:
    span(tmp_path / "faces", "2026-12", 50, classes)

    with pytest.raises(SourceError, match=message):
        run(find_places([spans]), tmp_path / "out")


def test_an_error_names_the_folder_that_it_is_about(spans: str, tmp_path: Path) -> None:
    for split in ("train", "train2"):
        for label in ("happy", "sad"):
            draw(tmp_path / f"faces/2026-12/{split}/{label}/a.png", len(split + label))

    with pytest.raises(SourceError, match=r"each look like train.*\(in .*faces/2026-12\)"):
        run(find_places([spans]), tmp_path / "out")


def test_a_table_names_images_of_all_folders(spans: str, tmp_path: Path) -> None:
    root = tmp_path / "faces"
    lines = ["2026-10/happy/0.png", f"{root}/2026-11/happy/0.png", "sad/1.png"]
    table = tmp_path / "labels.csv"
    draw(root / "2026-11/sad/only.png", 99)

    def labelled(*paths: str) -> dict[str, str]:
        with table.open("w") as file:
            csv.writer(file).writerows([["path", "label"], *([path, "calm"] for path in paths)])
        run(find_places([spans]), tmp_path / paths[-1].replace("/", "_"), DataOptions(labels_csv=str(table)))
        found = rows(tmp_path / paths[-1].replace("/", "_"))
        return {file_id: row.label for file_id, row in found.items() if row.label == "calm"}

    assert set(labelled(*lines[:2], "only.png")) == {
        "2026-10/happy/0.png",
        "2026-11/happy/0.png",
        "2026-11/sad/only.png",
    }
    with pytest.raises(SourceError, match="may be 2026-10/sad/1.png or 2026-11/sad/1.png: give more of its path"):
        labelled(lines[2])


@pytest.mark.heavy
def test_copies_are_known_by_the_table_of_their_own_folder(tmp_path: Path) -> None:
    """One folder made by datasplit, with its table, beside one without, in which names say what is a copy."""
    span(tmp_path, "plain/train", 0, images=15)
    done = CliRunner().invoke(
        datasplit, [str(tmp_path / "plain"), "--train-split", "0.6", "--balance", "--global-multiplier", "2"]
    )
    assert done.exit_code == 0, done.output
    made = tmp_path / "plain"
    other = span(tmp_path, "other", 200)
    shutil.copy(other / "happy/0.png", other / "happy/0_aug1.png")

    run(find_places([str(made), str(other)]), tmp_path / "out")

    found = rows(tmp_path / "out")
    alone = tmp_path / "alone"
    run(made, alone)
    expected = {f"plain/{file_id}": f"plain/{row.source_id}" for file_id, row in rows(alone).items() if row.copy}
    assert expected
    assert {file_id: row.source_id for file_id, row in found.items() if row.copy} == expected | {
        "other/happy/0_aug1.png": "other/happy/0.png"
    }


def test_digests_see_each_folder_and_not_where_it_lies(spans: str, tmp_path: Path) -> None:
    root = tmp_path / "faces"
    before = find_places([spans])
    digests = folder_digest(before), quick_digest(before)
    shutil.copytree(root, tmp_path / "moved")

    assert folder_digest(find_places([spans.replace("faces", "moved")])) == digests[0]
    assert folder_digest(as_uri({"2026-10": f"{root}/2026-11", "2026-11": f"{root}/2026-10"})) != digests[0]
    draw(root / "2026-10/happy/new.png", 5)
    assert folder_digest(before) != digests[0]
    assert quick_digest(before) != digests[1]
    (root / "2026-10/happy/new.png").unlink()
    assert folder_digest(before) == digests[0]
    span(root, "2026-12", 300)
    assert folder_digest(find_places([spans])) != digests[0]
    assert folder_digest(find_places([spans], "2026-11")) == digests[0]
