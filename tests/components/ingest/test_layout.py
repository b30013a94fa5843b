import pytest

from components.images.source import SourceError
from components.ingest.layout import Entry, check_split_csv, read_layout


def folders_of(files: list[str]) -> list[str]:
    return sorted({"/".join(file.split("/")[:depth]) for file in files for depth in range(1, file.count("/") + 1)})


def layout(*files: str, labels: dict[str, str] | None = None) -> list[Entry]:
    return read_layout(files, folders_of(list(files)), labels).entries


def test_labels_come_from_the_folders_below_train() -> None:
    assert layout("train/happy/a.jpg", "train/sad/deep/b.jpg") == [
        Entry("train/happy/a.jpg", "happy", ""),
        Entry("train/sad/deep/b.jpg", "sad", ""),
    ]


def test_class_folders_without_train_work_too() -> None:
    assert layout("happy/a.jpg", "sad/b.jpg") == [Entry("happy/a.jpg", "happy", ""), Entry("sad/b.jpg", "sad", "")]


@pytest.mark.parametrize(
    ("folder", "split"), [("test", "test"), ("val", "eval"), ("validation", "eval"), ("eval", "eval")]
)
def test_a_given_split_is_kept(folder: str, split: str) -> None:
    assert layout("train/happy/a.jpg", f"{folder}/happy/b.jpg")[0 if folder < "train" else 1].split == split


def test_a_class_named_test_is_a_class_where_there_is_no_train() -> None:
    assert layout("test/a.jpg", "other/b.jpg") == [Entry("other/b.jpg", "other", ""), Entry("test/a.jpg", "test", "")]


def test_files_beside_train_are_no_images_and_files_in_no_class_are_misplaced() -> None:
    happy, sad = ([f"train/{label}/{number}.jpg" for number in range(6)] for label in ("happy", "sad"))
    files = [*happy, *sad, "train/stray.jpg", "LICENSE", "docs/x.jpg"]
    found = read_layout(files, folders_of(files))

    assert [entry.id for entry in found.entries] == [*happy, *sad]
    assert found.misplaced == [("train/stray.jpg", "not in a class folder")]
    assert found.beside == ["LICENSE", "docs/x.jpg"]


def test_an_empty_class_folder_is_known() -> None:
    assert read_layout(["train/happy/a.jpg"], ["train", "train/happy", "train/sad"]).labels == ["happy", "sad"]


def test_the_labels_table_overrides_folders_and_rescues_strays() -> None:
    labels = {"train/happy/a.jpg": "sad", "train/stray.jpg": "happy"}

    assert layout("train/happy/a.jpg", "train/stray.jpg", labels=labels) == [
        Entry("train/happy/a.jpg", "sad", ""),
        Entry("train/stray.jpg", "happy", ""),
    ]


def test_the_tables_of_an_earlier_split_must_agree_with_the_folders() -> None:
    entries = layout("train/happy/a.jpg", "train/sad/b.jpg")

    check_split_csv("train.csv", "label,filename\nhappy,a.jpg\nsad,b.jpg\n", entries)
    with pytest.raises(SourceError, match="lists a file that is not there: train/happy/z.jpg"):
        check_split_csv("train.csv", "label,filename\nhappy,a.jpg\nhappy,z.jpg\nsad,b.jpg\n", entries)
    with pytest.raises(SourceError, match="lacks a file: train/sad/b.jpg"):
        check_split_csv("train.csv", "label,filename\nhappy,a.jpg\n", entries)
