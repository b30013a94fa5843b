"""Whole folders as people have them, through ingest."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.images.codec import encode
from components.images.source import SourceError
from components.ingest.ingest import ingest
from components.ingest.options import DataOptions

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(400)


def draw(root: Path, *folders: str, count: int = 3) -> Path:
    """Draw a few images into each folder; no two of one path's are the same."""
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            seed = [number, *folder.encode()]
            pixels = np.random.default_rng(seed).integers(0, 255, (16, 16, 3), dtype=np.uint8)
            (root / folder / f"{number}.jpg").write_bytes(encode(pixels, "jpeg"))
    return root


def run(root: Path, **options: Any) -> dict[str, Any]:
    target = root.parent / "out"
    target.mkdir(exist_ok=True)
    return ingest(str(root), target, DataOptions(**options))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("train", "test", "val"),
    [("Training", "Testing", "Validation"), ("training_set", "test_set", "val_set"), ("train", "test", "valid")],
)
def test_folders_of_splits_give_classes_and_splits_whatever_they_are_called(
    root: Path, train: str, test: str, val: str
) -> None:
    draw(root, *(f"{split}/{label}" for split in (train, test, val) for label in ("happy", "sad")))

    summary = run(root)

    assert summary["classes"] == {"happy": 9, "sad": 9}
    assert summary["given_splits"] == {"eval": 6, "test": 6}
    assert summary["splits"] == {train: "train", test: "test", val: "eval"}


def test_the_same_split_is_the_same_data_whatever_its_folders_are_called(root: Path, tmp_path: Path) -> None:
    draw(root, "train/happy", "train/sad", "test/happy", "test/sad")
    before = run(root)["data_digest"]
    (root / "train").rename(root / "Training")
    (root / "test").rename(root / "test_set")

    assert run(root)["data_digest"] == before


def test_a_class_may_be_called_train(root: Path) -> None:
    draw(root, "bus", "plane", "train")

    assert run(root)["classes"] == {"bus": 3, "plane": 3, "train": 3}


def test_images_beside_the_splits_are_counted_by_folder(root: Path) -> None:
    draw(root, "train/happy", "train/sad", "test/happy", "test/sad", "pred/pred", ".")
    (root / "LICENSE").write_text("free")

    summary = run(root)

    assert (summary["images"], summary["beside"], summary["unused_images"]) == (12, 7, {".": 3, "pred": 3})


def test_only_the_folders_of_named_splits_are_used(root: Path) -> None:
    draw(root, "A/happy", "A/sad", "B/happy", "B/sad", "C/happy")

    summary = run(root, splits={"train": "A", "test": ["B"]})

    assert summary["classes"] == {"happy": 6, "sad": 6}
    assert (summary["given_splits"], summary["unused_images"]) == ({"test": 6}, {"C": 3})


def test_a_nas_thumbnails_are_left_out_and_counted(root: Path) -> None:
    draw(root, "train/happy", "train/sad", "train/happy/@eaDir/1.jpg")

    summary = run(root)

    assert (summary["images"], summary["quarantined"], summary["left_out"]) == (6, 0, {"nas": 1})


def test_a_linked_class_stops_the_run_or_is_followed(root: Path, tmp_path: Path) -> None:
    draw(root, "happy", "sad")
    draw(tmp_path / "disk", "anger")
    (root / "anger").symlink_to("../disk/anger")

    with pytest.raises(SourceError, match=r"anger is a link out of .*, to .*/disk/anger, .* data.follow_links=true"):
        run(root)
    assert run(root, follow_links=True)["classes"] == {"anger": 3, "happy": 3, "sad": 3}


@pytest.mark.parametrize("link", ["test", "test/sad", "train/sad/more"])
def test_a_linked_part_of_the_data_stops_the_run(root: Path, tmp_path: Path, link: str) -> None:
    draw(root, "train/happy", "train/sad", "test/happy") if link != "test" else draw(root, "train/happy", "train/sad")
    draw(tmp_path / "disk", "sad")
    (root / link).symlink_to(tmp_path / "disk")

    with pytest.raises(SourceError, match=f"data: {link} is a link out of the data folder"):
        run(root)


def test_a_link_beside_the_splits_is_quarantined(root: Path, tmp_path: Path) -> None:
    draw(root, "train/happy", "train/sad")
    draw(tmp_path / "disk", "sad")
    (root / "backup").symlink_to(tmp_path / "disk")

    assert run(root)["quarantine_reasons"] == {"link that leads out of the data folder": 1}


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: folder.mkdir(), "its folder is empty"),
        (lambda folder: folder.symlink_to("/gone/anger"), "anger: dangling link"),
        (lambda folder: folder.symlink_to("."), "anger: link to a folder it lies in"),
        (
            lambda folder: (folder.mkdir(), (folder / "1.heic").write_bytes(HEIC)),
            "1 file can't be used, .*anger/1.heic",
        ),
        (lambda folder: (folder.mkdir(), (folder / "1.jpg").symlink_to("gone.jpg")), "anger/1.jpg: dangling link"),
    ],
)
@pytest.mark.parametrize("split", ["", "train/"])
def test_a_class_without_usable_images_stops_the_run(root: Path, make: Any, reason: str, split: str) -> None:
    draw(root, f"{split}happy", f"{split}sad")
    make(root / split / "anger")

    with pytest.raises(SourceError, match=f"no usable image of the class anger: .*{reason}"):
        run(root)


def test_a_class_with_test_images_alone_stops_the_run(root: Path) -> None:
    draw(root, "train/happy", "train/sad", "test/happy", "test/unknown")

    with pytest.raises(SourceError, match="the class unknown has images in the given test split only"):
        run(root)
    assert run(root, splits={"train": "train"})["unused_images"] == {"test": 6}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("train/Happy", "test/happy"),
        ("train/happy ", "test/happy"),
        ("train/happy", "train/HAPPY"),
        ("train/d\u00e9go\u00fbt", "train/de\u0301gou\u0302t"),
    ],
)
def test_two_spellings_of_a_class_are_named_unless_a_table_mends_them(
    root: Path, tmp_path: Path, one: str, other: str
) -> None:
    draw(root, one, other, "train/sad", "test/sad")

    with pytest.raises(SourceError) as error:
        run(root)
    table = tmp_path / "labels.csv"
    label = other.partition("/")[2]
    table.write_text("path,label\n" + "".join(f"{one}/{number}.jpg,{label}\n" for number in range(3)), "utf-8")

    assert f"({one}/0.jpg)" in str(error.value)
    assert f"({other}/0.jpg)" in str(error.value)
    assert run(root, labels_csv=str(table))["classes"] == {label: 6, "sad": 6}


def test_a_class_that_ends_in_a_blank_is_named(root: Path) -> None:
    draw(root, "happy ", "sad")

    with pytest.raises(SourceError, match=r"can't begin or end with a blank: 'happy ' \(happy /0.jpg\)"):
        run(root)


@pytest.mark.parametrize("folder", ["images", "train/images", "."])
def test_all_images_in_one_folder_with_a_table_are_the_tables_classes(root: Path, tmp_path: Path, folder: str) -> None:
    draw(root, folder, count=8)
    table = tmp_path / "labels.csv"
    place = "" if folder == "." else f"{folder}/"
    table.write_text("path,label\n" + "".join(f"{place}{n}.jpg,{('happy', 'sad')[n % 2]}\n" for n in range(8)))

    summary = run(root, labels_csv=str(table))

    assert summary["classes"] == {"happy": 4, "sad": 4}
    assert summary["quarantined"] == 0


def test_a_folder_that_a_table_empties_is_no_class(root: Path, tmp_path: Path) -> None:
    draw(root, "hapy", "sad")
    (root / "hapy" / "0_aug1.jpg").write_bytes((root / "sad" / "0.jpg").read_bytes())  # follows its source
    table = tmp_path / "labels.csv"
    table.write_text("path,label\n" + "".join(f"hapy/{n}.jpg,happy\n" for n in range(3)))

    assert run(root, labels_csv=str(table))["classes"] == {"happy": 4, "sad": 3}


def test_options_that_contradict_each_other_are_refused() -> None:
    for options, message in (
        ({"layout": "classes", "splits": {"train": "A"}}, "data.layout must be auto or splits"),
        ({"splits": {"test": "A"}}, "requires a folder for train"),
        ({"splits": {"train": ["A", "B"], "test": "A"}}, "each folder once"),
        ({"splits": {"train": "A", "test": "A/B"}}, "none in another"),
    ):
        with pytest.raises(ValueError, match=message):
            DataOptions(**options)  # type: ignore[arg-type]
