import re
from typing import Any

import pytest

from components.images.folder_names import look_alikes, may_be_image, split_of
from components.images.source import SourceError
from components.ingest.find_splits import find_splits
from components.ingest.layout import read_layout


def images(*folders: str, count: int = 12) -> list[str]:
    return [f"{folder}/{number}.jpg" for folder in folders for number in range(count)]


def two(*splits: str) -> list[str]:
    return images(*(f"{split}/{label}" for split in splits for label in ("happy", "sad")))


def folders_of(files: list[str]) -> list[str]:
    return sorted({"/".join(file.split("/")[:depth]) for file in files for depth in range(1, file.count("/") + 1)})


def find(files: list[str], **said: Any) -> dict[str, str]:
    return find_splits(files, folders_of(files), uri="faces", **said)


@pytest.mark.parametrize(
    ("split", "names"),
    [
        (
            "train",
            "train Training TRAIN trn training_set TrainSet Train-Data train_images train2017 seg_train dataset_train",
        ),
        ("eval", "val valid Validation validation_set val2017 eval evaluation-data dev ValSet images_val"),
        ("test", "test Testing tst test_set TestData test_images test1 seg_test"),
        (
            None,
            "bus plane trainer contest latest attest training_shoes devices seg_pred valley fold1 A trains evaluate",
        ),
    ],
)
def test_a_split_is_known_by_name_in_any_spelling(split: str | None, names: str) -> None:
    assert {name: split_of(name) for name in names.split(" ")} == dict.fromkeys(names.split(" "), split)


@pytest.mark.parametrize(
    ("files", "splits"),
    [
        (two("Training", "Testing"), {"Training": "train", "Testing": "test"}),
        (two("training_set", "test_set"), {"training_set": "train", "test_set": "test"}),
        (two("train", "valid", "test"), {"train": "train", "valid": "eval", "test": "test"}),
        (two("seg_train/seg_train", "seg_test/seg_test") + images("seg_pred/seg_pred"),
         {"seg_train/seg_train": "train", "seg_test/seg_test": "test"}),
        (two("train", "test") + images("chest/train/happy"), {"train": "train", "test": "test"}),
        (two("train") + images("test"), {"train": "train", "test": "test"}),
        (images("train/bus", "train/car", "train/test", "train/train"), {"train": "train"}),
        (two("train") + images("docs", count=2), {"train": "train"}),
        ([*two("train"), "train/stray.jpg"], {"train": "train"}),
        (images("bus", "car", "plane", "train"), {}),
        (images("bus", "car", "test", "train"), {}),
        (images("test", "other"), {}),
        (images("happy/anna", "happy/ben", "sad/cleo"), {}),
        (["a.jpg"], {}),
    ],
)  # fmt: skip
def test_what_is_sure_is_taken(files: list[str], splits: dict[str, str]) -> None:
    assert find(files) == splits


@pytest.mark.parametrize(
    ("files", "folders", "option"),
    [
        (two("fold1", "fold2", "fold3"), "fold1, fold2, fold3", "{train: [fold1, fold2], test: fold3}"),
        (two("A", "B"), "A, B", "{train: A, test: B}"),
        (two("train", "test", "extra"), "extra, test, train", "{train: [train, extra], test: test}"),
        (two("train", "extra"), "extra, train", "{train: [train, extra]}"),
        (two("Testing", "Validation"), "Testing, Validation", "{train: …, eval: Validation, test: Testing}"),
        (images("train") + two("test"), "test, train", "{train: train, test: test}"),
        (images("train/steam", "train/electric", "bus"), "bus, train", "{train: train}"),
        (images("train/steam", "train/electric", "bus/city", "bus/coach"), "bus, train", "{train: train}"),
    ],
)
def test_where_the_meaning_is_not_sure_both_readings_and_the_option_are_shown(
    files: list[str], folders: str, option: str
) -> None:
    with pytest.raises(SourceError) as error:
        find(files)

    message = str(error.value)
    assert f"not sure what the folders {folders} are. If they are the classes, set data.layout=classes" in message
    assert f"data.splits={option}" in message
    assert "\n" not in message


def test_the_option_that_an_error_shows_can_be_used_as_it_is(tmp_path: Any) -> None:
    from pipeline.config import load

    files = two("part: 1", "[b]", "3")
    with pytest.raises(SourceError) as error:
        find(files)
    found = re.search(r"data\.splits=\{.*\}", str(error.value))
    assert found
    splits = load(None, [found.group()]).data.folders()

    assert find(files, splits=splits) == {"3": "train", "[b]": "train", "part: 1": "test"}


@pytest.mark.parametrize("names", [("train", "test"), ("train",), ("train", "test", "bus"), ("train", "images")])
def test_images_directly_in_splits_are_no_classes(names: tuple[str, ...]) -> None:
    with pytest.raises(SourceError, match="images but no class folders. If they are splits, put the images in"):
        find(images(*names))


def test_two_folders_of_one_split_are_a_question() -> None:
    with pytest.raises(SourceError, match=re.escape("{train: [train, training], test: test}; folders that it")):
        find(two("train", "training", "test"))


@pytest.mark.parametrize(
    ("files", "instead"),
    [
        (two("faces/train", "faces/test"), "faces/faces"),
        (two("a/b/train"), "faces/a/b/train"),
        ([*images("data/happy", "data/sad"), "LICENSE"], "faces/data"),
    ],
)
def test_a_folder_one_level_too_deep_is_named(files: list[str], instead: str) -> None:
    with pytest.raises(SourceError, match=f"one level too deep: .* give {instead} instead"):
        find(files)


def test_class_folders_one_level_too_deep_in_their_splits_are_named() -> None:
    with pytest.raises(SourceError, match=re.escape("set data.splits={train: train/faces, test: test/faces}")):
        find(two("train/faces", "test/faces"))


def test_what_was_said_is_done() -> None:
    assert find(two("fold1", "fold2"), layout="classes") == {}
    assert find(two("train", "test", "extra"), layout="splits") == {"train": "train", "test": "test"}
    said = {"train": ["A", "C"], "test": ["B"]}
    assert find(two("A", "B", "C", "D"), splits=said) == {"A": "train", "C": "train", "B": "test"}
    assert find(two("faces/A", "faces/B"), splits={"train": ["faces/A"]}) == {"faces/A": "train"}


def test_what_was_said_must_be_there() -> None:
    with pytest.raises(SourceError, match=r"data.splits names Train, which is no folder .* There are: B, train"):
        find(two("train", "B"), splits={"train": ["Train"]})
    with pytest.raises(SourceError, match="none of the folders bus, car is called train"):
        find(images("bus", "car"), layout="splits")


def test_where_a_table_names_all_images_folders_need_not_be_classes() -> None:
    for files, splits in (
        (images("images"), {}),
        (images("train/images"), {"train": "train"}),
        (images("train", "test"), {"train": "train", "test": "test"}),
        (images("part1/images", "part2/images"), {}),
    ):
        assert find(files, labelled=set(files)) == splits


@pytest.mark.parametrize("inside", ["", "/images"])
def test_a_table_does_not_undo_a_split_beside_which_there_is_more(inside: str) -> None:
    files = images(*(f"{name}{inside}" for name in ("train", "test", "extra")))

    with pytest.raises(SourceError, match=r"data\.splits=\{train: .*train.*, test: test\}"):
        find(files, labelled=set(files))


@pytest.mark.parametrize("inside", ["", "/images"])
def test_of_a_competitions_test_images_the_labels_are_kept_back(inside: str) -> None:
    files = images(f"train{inside}", f"test{inside}")
    labels = {file: ("happy", "sad")[number % 2] for number, file in enumerate(files[:12])}

    found = read_layout(files, folders_of(files), labels)

    assert (found.labels, found.splits) == (["happy", "sad"], {"test": "test", "train": "train"})
    assert [id_ for id_, _ in found.misplaced] == files[12:]


def test_every_image_is_used_or_reported() -> None:
    files = [*two("train", "test"), *images("seg_pred/seg_pred", count=3), "cover.jpg", "LICENSE", "labels.csv"]
    found = read_layout(files, folders_of(files))

    accounted = [*(entry.id for entry in found.entries), *(id_ for id_, _ in found.misplaced), *found.beside]
    assert sorted(accounted) == sorted(files)
    assert found.unused_images() == {".": 1, "seg_pred": 3}


def test_of_several_folders_of_one_split_files_of_one_name_stay_apart() -> None:
    files = two("A", "B", "C")
    found = read_layout(files, folders_of(files), splits={"train": ["A", "B"], "test": ["C"]})

    assert found.place("A/happy/1.jpg", "") == "train/happy/1.jpg"
    assert found.place("B/happy/1.jpg", "") == "train/B/happy/1.jpg"
    assert found.place("C/happy/1.jpg", "test") == "test/happy/1.jpg"


def test_a_folder_that_a_table_divides_into_classes_is_none_itself() -> None:
    files = images("images", count=9)
    labels = {file: ("happy", "sad")[number % 2] for number, file in enumerate(files[1:])}
    found = read_layout(files, ["images"], labels)

    assert found.labels == ["happy", "sad"]
    assert found.misplaced == [("images/0.jpg", "not in data.labels_csv, which divides its folder into classes")]


def test_a_folder_that_a_table_corrects_in_part_stays_a_class() -> None:
    files = images("hapy", "sad")
    some = dict.fromkeys(images("hapy", count=10), "happy")
    others = {file: ("sad", "hapy")[number % 2] for number, file in enumerate(images("hapy"))}

    assert read_layout(files, ["hapy", "sad"], some).labels == ["happy", "hapy", "sad"]
    assert read_layout(files, ["hapy", "sad"], others).labels == ["hapy", "sad"]
    assert read_layout(files, ["hapy", "sad"], dict.fromkeys(images("hapy"), "happy")).labels == ["happy", "sad"]


def test_labels_look_alike_by_case_unicode_and_blanks_alone() -> None:
    assert look_alikes(["Happy", "happy", "sad", "unhappy"]) == [("Happy", "happy")]
    assert look_alikes(["happy ", "happy", "very  sad", "very sad"]) == [("happy", "happy "), ("very  sad", "very sad")]
    assert look_alikes(["d\u00e9go\u00fbt", "de\u0301gou\u0302t"]) == [("de\u0301gou\u0302t", "d\u00e9go\u00fbt")]
    assert look_alikes(["Masse", "Maße", "m2", "m²", "a b", "ab", "cafe", "café"]) == []


def test_licences_and_tables_are_no_images_and_everything_else_may_be_one() -> None:
    names = {"1.jpg": True, "scan.TIF": True, "photo": True, "0001.0002": True, "a.heic": True, "face.xyz": True}
    names |= {"LICENSE": False, "README.md": False, "labels.csv": False, "faces.zip": False, "licence-mit": False}
    assert {name: may_be_image(f"a/{name}") for name in names} == names


def test_the_example_of_an_option_takes_the_smallest_folder_for_the_test() -> None:
    train = images("Übung/happy", "Übung/sad", count=30)

    with pytest.raises(SourceError, match=r"data\.splits=\{train: Übung, test: Prüfung\}"):
        find([*train, *two("Prüfung")])
    with pytest.raises(SourceError, match=r"data\.splits=\{train: z, test: a\}"):
        find([*images("z/happy", "z/sad", count=30), *two("a")])
