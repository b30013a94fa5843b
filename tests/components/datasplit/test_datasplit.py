import csv
import hashlib
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from datasplit_command import COUNTS, datasplit, done, per_class, tree, tree_hash
from drawn_images import draw, draw_folder

from components.images.copy_mark import CopyMark, read_mark

# `datasplit` imports Beam when the work begins.
pytestmark = pytest.mark.heavy


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return draw_folder(tmp_path / "data", COUNTS)


def test_help_answers_at_once_without_tfx_and_tensorflow() -> None:
    code = (
        "import sys\nfrom components.datasplit.__main__ import main\n"
        "try:\n main(['--help'])\n"
        "finally:\n print([m for m in ('tfx', 'tensorflow', 'apache_beam') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert "--global-multiplier" in shown
    assert "greater than 0.5" in shown
    assert shown.endswith("[]\n")


def test_without_balancing_images_only_move(data: Path) -> None:
    before = tree(data)
    done(data, "--seed", 3)
    assert per_class(data, "train") == {"anger": 11, "happy": 24, "sad": 17}
    assert per_class(data, "test") == {"anger": 3, "happy": 6, "sad": 4}
    after = {name.partition("/")[2]: content for name, content in tree(data).items() if not name.endswith(".csv")}
    assert after == {name.partition("/")[2]: content for name, content in before.items()}


def test_balancing_fills_every_class(data: Path) -> None:
    done(data, "--balance", "--global-multiplier", "1.5", "--seed", 3)
    assert per_class(data, "train") == dict.fromkeys(COUNTS, 36)
    assert per_class(data, "test") == dict.fromkeys(COUNTS, 9)


@pytest.mark.parametrize(
    ("flag", "balanced", "other"), [("--balance-train", "train", "test"), ("--balance-test", "test", "train")]
)
def test_one_side_can_be_balanced_alone(data: Path, flag: str, balanced: str, other: str) -> None:
    done(data, flag, "--seed", 3)
    assert len(set(per_class(data, balanced).values())) == 1
    assert len(set(per_class(data, other).values())) == 3


def test_the_tables_list_every_file_sorted(data: Path) -> None:
    (data / "train" / "sad").rename(data / "train" / "happy or not")  # sorts before happy/, but behind happy
    done(data, "--balance", "--seed", 3, "--label-col", "emotion", "--filename-col", "file")
    for split in ("train", "test"):
        with (data / f"{split}.csv").open(newline="") as file:
            header, *lines = csv.reader(file)
        assert header == ["emotion", "file"]
        assert lines == sorted(lines)
        listed = {f"{split}/{label}/{name}" for label, name in lines}
        assert listed == {name for name in tree(data) if name.startswith(f"{split}/")}
        assert len(listed) == len(lines)


def test_the_lineage_lists_every_copy_with_its_source_and_number_sorted(data: Path) -> None:
    done(data, "--balance", "--seed", 3, "--label-col", "emotion")
    with (data / "lineage.csv").open(newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["file", "source", "copy"]
    assert lines == sorted(lines)
    files = tree(data)
    copies = {name for name in files if "_aug" in name}
    assert {line[0] for line in lines} == copies
    assert len(copies) == len(lines) > 20
    for name, source, number in lines:
        assert name == source.replace(".jpg", f"_aug{number}.jpg")
        assert read_mark(files[name]) == CopyMark(hashlib.sha256(files[source]).hexdigest(), int(number))
    assert [read_mark(files[name]) for name in files if name not in copies] == [None] * (len(files) - len(copies))


def test_an_output_folder_gets_the_same_tree_and_the_input_stays(data: Path, tmp_path: Path) -> None:
    before = tree(data)
    done(data, "--balance", "--seed", 3, "--output-path", tmp_path / "new" / "out")
    assert tree(data) == before
    (tmp_path / "empty" / "train").mkdir(parents=True)
    done(data, "--balance", "--seed", 3, "--output", tmp_path / "empty")
    done(data, "--balance", "--seed", 3)
    assert tree(tmp_path / "new" / "out") == tree(tmp_path / "empty") == tree(data)


def test_an_output_folder_that_holds_something_is_refused_untouched(data: Path, tmp_path: Path) -> None:
    out = draw_folder(tmp_path / "out", {"a": 1})
    before = tree(out)
    (tmp_path / "file").touch()
    for target, status in ((out, 1), (data, 1), (data / "train" / "new" / "er", 1), (tmp_path / "file", 2)):
        assert datasplit(data, "--output-path", target).exit_code == status
    assert tree(out) == before
    assert {path.name for path in (data / "train").iterdir()} == set(COUNTS)
    assert {path.name for path in tmp_path.iterdir()} == {"data", "out", "file"}


def test_brackets_in_a_folders_name_are_no_pattern(data: Path, tmp_path: Path) -> None:
    odd = data.rename(tmp_path / "photos [2024]?*")
    out = tmp_path / "out [1-9]"
    done(odd, "--balance", "--seed", 3, "--output-path", out)
    done(odd, "--balance", "--seed", 3)
    assert tree(out) == tree(odd)
    assert per_class(odd, "train") == dict.fromkeys(COUNTS, 24)


def test_classes_and_files_may_have_any_name_beside_ones_that_would_match(tmp_path: Path) -> None:
    labels = ["a[b]c", "abc", "*", "q?", 'it\'s "so" $HOME', "50%#1\n", "Zürich 日本"]
    for seed, label in enumerate(labels):
        for index in range(10):
            draw(
                tmp_path / "data" / "train" / label / f"f[{index}]*? 'a' \"b\" $HOME %41\n#é;.png",
                seed=seed * 10 + index,
            )

    done(tmp_path / "data", "--balance", "--global-multiplier", 2, "--seed", 3, "--output-path", tmp_path / "out")

    assert per_class(tmp_path / "out", "train") == dict.fromkeys(labels, 16)
    assert per_class(tmp_path / "out", "test") == dict.fromkeys(labels, 4)
    with (tmp_path / "out" / "train.csv").open(newline="") as file:
        listed = {(row["label"], row["filename"]) for row in csv.DictReader(file)}
    assert listed == {(path.parent.name, path.name) for path in (tmp_path / "out" / "train").rglob("*.png")}


@pytest.mark.parametrize("arguments", [[], ["--output-path", "out"], ["--dry-run", "--output-path", "out"]])
@pytest.mark.parametrize("name", ["test", "train.csv", "test.csv", "lineage.csv"])
def test_a_folder_that_is_split_already_is_refused(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, arguments: list[str]
) -> None:
    (data / name).mkdir() if name == "test" else (data / name).touch()
    before = tree(data)
    monkeypatch.chdir(tmp_path)
    again = datasplit(data, "--seed", 3, *arguments)
    assert again.exit_code == 1
    assert f"is split already: it has {name}" in again.output.replace("\n", " ")
    assert tree(data) == before
    assert not (tmp_path / "out").exists()


@pytest.mark.campaign
def test_workers_and_the_order_of_the_listing_do_not_show(data: Path, tmp_path: Path) -> None:
    done(data, "--balance", "--seed", 3, "--output", tmp_path / "one")
    shuffled = list(range(30))
    random.Random(0).shuffle(shuffled)
    other = draw_folder(tmp_path / "other", dict(reversed(COUNTS.items())), order=shuffled)
    for number, label in enumerate(COUNTS):
        for index in range(COUNTS[label]):
            draw(other / "train" / label / f"img{index}.jpg", seed=number * 1000 + index)
    for workers in (2, 4):
        out = tmp_path / f"out{workers}"
        assert datasplit(other, "--balance", "--seed", 3, "--output", out, "--workers", workers).exit_code == 0
        assert tree_hash(out) == tree_hash(tmp_path / "one")


def test_a_dry_run_shows_the_plan_and_writes_nothing(data: Path) -> None:
    before = tree(data)
    result = done(data, "--balance", "--dry-run", "--seed", 3)
    assert "nothing was written" in result.output
    assert "anger" in result.output
    assert tree(data) == before


def test_the_plan_shows_copies_per_original_and_warns_where_they_are_too_many(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for label, count in (("many", 100), ("few", 4)):
        for index in range(count):
            draw(data / "train" / label / f"{index}.jpg", seed=1000 * count + index)

    free = done(data, "--balance-train", "--dry-run", "--seed", 3).output
    bounded = done(data, "--balance-train", "--max-copies-per-image", 5, "--dry-run", "--seed", 3).output
    median = done(data, "--balance-train", "--balance-target", "median", "--dry-run", "--seed", 3).output

    assert re.search(r"few +│ +3 │ +77 │ +25\.7 ", free)
    assert (
        "Warning: More than 20 copies of an original add little to learn from: few in train 25.7 of each of 3"
        in flat(free)
    )
    assert "--max-copies-per-image" in free
    assert re.search(r"few +│ +3 │ +15 │ +5\.0 ", bounded)
    assert "an image has 5 copies at most: few in train 18 of 80 images" in flat(bounded)
    assert "Warning" not in bounded
    assert re.search(r"few +│ +3 │ +39 │ +13\.0 ", median)


@pytest.mark.parametrize("value", ["0", "-1", "smallest", "2.5"])
def test_a_target_that_is_none_is_refused(data: Path, value: str) -> None:
    result = datasplit(data, "--balance", f"--balance-target={value}")

    assert result.exit_code == 2
    assert f"must be largest, median or a number of images. Received: {value}" in flat(result.output)


def flat(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


def test_a_random_seed_is_printed_and_repeats_the_split(data: Path, tmp_path: Path) -> None:
    output = done(data, "--output", tmp_path / "first").output
    seed = output.split("Seed: ")[1].split()[0]
    done(data, "--output", tmp_path / "second", "--seed", seed)
    assert tree(tmp_path / "first") == tree(tmp_path / "second")


def test_a_multiplier_without_balancing_has_no_effect_and_says_so_once(data: Path, tmp_path: Path) -> None:
    result = done(data, "--global-multiplier", "3", "--seed", 3, "--output", tmp_path / "three")
    assert result.output.count("--global-multiplier has no effect") == 1
    done(data, "--seed", 3, "--output", tmp_path / "one")
    assert tree(tmp_path / "three") == tree(tmp_path / "one")


def test_a_bound_and_a_target_without_balancing_have_no_effect_and_say_so(data: Path) -> None:
    result = done(data, "--max-copies-per-image", "3", "--balance-target", "median", "--seed", 3, "--dry-run")
    assert "--max-copies-per-image has no effect without --balance[-train|-test]." in flat(result.output)
    assert "--balance-target has no effect without --balance[-train|-test]." in flat(result.output)


def test_an_archive_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "faces.zip").write_bytes(b"PK")

    result = datasplit(tmp_path / "faces.zip")

    assert result.exit_code == 2
    assert "faces.zip is a file, and datasplit works on folders: unpack it" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("--train-split", "0.5"), ("--train-split", "1"), ("--train-split", "x"), ("--seed", "-1"), ("--workers", "0"),
        ("--global-multiplier", "0.99"), ("--global-multiplier", "nan"), ("--pipeline-yaml", "missing.yml"),
        ("--nonsense",),
    ],
)  # fmt: skip
def test_impossible_options_are_usage_errors(data: Path, arguments: tuple[str, ...]) -> None:
    before = tree(data)
    assert datasplit(data, *arguments).exit_code == 2
    assert tree(data) == before


@pytest.mark.parametrize(
    ("folder", "message"),
    [("no_train", "no folder train/"), ("empty", "no usable image"), ("data", "not a regular expression")],
)
def test_what_cannot_be_split_is_said(data: Path, tmp_path: Path, folder: str, message: str) -> None:
    (tmp_path / "no_train").mkdir()
    (tmp_path / "empty" / "train" / "a").mkdir(parents=True)
    result = datasplit(tmp_path / folder, "--group-regex", "(" if folder == "data" else "(a)")
    assert result.exit_code == 1
    assert message in result.output
    assert not (tmp_path / folder / ".datasplit").exists()


@pytest.mark.parametrize("name", ["Testing", "test_set"])
def test_a_test_split_by_another_name_is_one_too(tmp_path: Path, name: str) -> None:
    draw_folder(tmp_path / "data", {"a": 4, "b": 4})
    draw(tmp_path / "data" / name / "a" / "0.png", seed=1)

    shown = datasplit(tmp_path / "data", "--dry-run")

    assert shown.exit_code == 1
    assert f"is split already: it has {name}" in shown.output.replace("\n", " ")


def test_a_train_folder_by_another_name_is_named(tmp_path: Path) -> None:
    draw(tmp_path / "data" / "Training" / "a" / "0.png", seed=1)

    assert "one folder a class in it: rename Training/" in datasplit(tmp_path / "data").output.replace("\n", " ")


def test_a_class_of_which_nothing_can_be_used_is_refused(tmp_path: Path) -> None:
    draw_folder(tmp_path / "data", {"a": 4, "b": 4})
    (tmp_path / "data" / "train" / "c").mkdir()
    (tmp_path / "data" / "train" / "c" / "0.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(99))

    shown = datasplit(tmp_path / "data", "--seed", 1)

    assert shown.exit_code == 1
    assert "no usable image of the class c: c/0.heic: " in shown.output.replace("\n", " ")
    assert not (tmp_path / "data" / "test").exists()


def test_a_class_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    draw_folder(tmp_path / "data", {"a": 4, "b": 4})
    (tmp_path / "data" / "train" / "c").symlink_to(tmp_path / "data" / "train" / "a")

    shown = datasplit(tmp_path / "data", "--seed", 1)

    assert shown.exit_code == 1
    assert "no usable image of the class c: c: a link to a folder" in shown.output.replace("\n", " ")
