import csv
import hashlib
import random
import re
import subprocess
import sys
from pathlib import Path

import albumentations as A
import cv2
import pytest
from datasplit_command import COUNTS, datasplit, done, per_class, tree, tree_hash
from drawn_images import draw, draw_folder
from PIL import Image

from components.images.codec import decode
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
    for target in (out, data, data / "train" / "new" / "er", tmp_path / "file"):
        assert datasplit(data, "--output-path", target).exit_code == 1
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


def test_a_group_and_its_copies_lie_on_one_side(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for label in range(2):
        for index in range(40):
            draw(data / "train" / f"class{label}" / f"S{index % 8:03d}_{index}.png", seed=label * 100 + index)
    done(data, "--balance", "--global-multiplier", "2", "--seed", 1, "--group-regex", r"^(S\d+)_")
    sides = {
        split: {Path(name).name[:4] for name in tree(data) if name.startswith(f"{split}/")}
        for split in ("train", "test")
    }
    assert sides["train"] | sides["test"] == {f"S{i:03d}" for i in range(8)}
    assert not sides["train"] & sides["test"]


def people_in_folders(data: Path) -> None:
    """`train/happy/S03/0001.png`: eight people, five pictures of each in each of two classes."""
    for label in range(2):
        for index in range(40):
            path = data / "train" / f"class{label}" / f"S{index % 8:03d}" / f"{index:04d}.png"
            draw(path, seed=label * 100 + index)


def test_people_who_are_folders_lie_on_one_side(tmp_path: Path) -> None:
    people_in_folders(tmp_path / "data")

    shown = done(tmp_path / "data", "--seed", 1, "--group-regex", r"/(S\d+)/", "--group-on", "path")

    assert "--group-regex: captured in 80 of 80 paths: 8 keys, 8 groups in all." in " ".join(shown.output.split())
    names = [Path(name) for name in tree(tmp_path / "data") if name.endswith(".png")]
    sides = [{name.parts[2] for name in names if name.parts[0] == split} for split in ("train", "test")]
    assert sides[0] | sides[1] == {f"S{number:03d}" for number in range(8)}
    assert not sides[0] & sides[1]


def test_an_expression_that_captures_nothing_changes_nothing(tmp_path: Path) -> None:
    people_in_folders(tmp_path / "data")
    before = tree(tmp_path / "data")

    shown = datasplit(tmp_path / "data", "--group-regex", r"^(S\d+)_")

    assert shown.exit_code == 1
    assert "--group-regex ^(S\\d+)_ captures nothing in any file name (80 of them, such as 0000.png)" in shown.output
    assert "give --group-on path if it is meant for the folders" in shown.output
    assert tree(tmp_path / "data") == before


def test_an_expression_that_captures_in_few_names_is_a_warning_and_copies_do_not_count(tmp_path: Path) -> None:
    for index in range(20):
        name = f"{'S1_' if index < 15 else ''}{index}.png"
        draw(tmp_path / "train" / "a" / name, seed=index)
        draw(tmp_path / "train" / "a" / f"aug_0{name}", seed=100 + index)

    shown = done(tmp_path, "--dry-run", "--seed", 1, "--group-regex", r"^(S\d+)_")

    assert "Warning: --group-regex: captured in 15 of 20 names: 1 key," in " ".join(shown.output.split())


def test_exact_duplicates_in_other_formats_lie_on_one_side(tmp_path: Path) -> None:
    data = draw_folder(tmp_path / "data", {"a": 20, "b": 20}, extension=".png")
    for index in range(10):
        pixels = cv2.imread(str(data / "train" / "a" / f"img{index}.png"))
        cv2.imwrite(str(data / "train" / "b" / f"same{index}.bmp"), pixels)
    done(data, "--seed", 1)
    for index in range(10):
        assert (data / "test" / "a" / f"img{index}.png").exists() == (data / "test" / "b" / f"same{index}.bmp").exists()


def test_near_duplicates_are_kept_together_on_request(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for index in range(60):
        draw(data / "train" / "ab"[index % 2] / f"img{index // 2}.png", seed=index, size=96)
    for index in range(20):
        pixels = cv2.imread(str(data / "train" / "a" / f"img{index}.png"))
        cv2.imwrite(str(data / "train" / "a" / f"near{index}.jpg"), pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])

    def divided(*arguments: str) -> int:
        out = tmp_path / f"out{len(arguments)}"
        done(data, "--seed", 1, "--output", out, *arguments)
        test = out / "test" / "a"
        return sum((test / f"img{i}.png").exists() != (test / f"near{i}.jpg").exists() for i in range(20))

    assert divided() > 2
    assert divided("--near-duplicates") == 0


def test_copies_keep_their_sources_format(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for seed, extension in enumerate((".jpg", ".JPEG", ".png", ".bmp", ".webp", ".tif"), start=100):
        draw(data / "train" / "a" / f"x{extension}", seed=seed)
    gif = cv2.imread(str(data / "train" / "a" / "x.png"))

    Image.fromarray(gif).save(data / "train" / "a" / "y.gif")
    (data / "train" / "b").mkdir()
    draw_folder(data, {"b": 40})
    done(data, "--balance-train", "--train-split", "0.9", "--seed", 1)
    formats = {}
    for path in (data / "train" / "a").glob("*_aug1*"):
        formats[path.name] = decode(path.read_bytes()).format
    kept = {
        "x_aug1.jpg": "jpeg",
        "x_aug1.JPEG": "jpeg",
        "x_aug1.png": "png",
        "x_aug1.bmp": "bmp",
        "x_aug1.webp": "webp",
    }
    expected = kept | {"x_aug1.tif": "tiff", "y.gif_aug1.png": "png"}
    assert formats == {name: form for name, form in expected.items() if name in formats}
    assert len(formats) >= 6


def test_a_pipeline_of_1_x_is_carried_over_and_every_change_is_printed(data: Path) -> None:
    old = Path(__file__).parent.parent / "augment" / "default_pipeline_1.3.1.yml"
    output = done(data, "--balance", "--seed", 3, "--pipeline-yaml", old).output.replace("\n", " ")
    assert "Pipeline of Albumentations 1.x: Rotate: always_apply=True → p=1.0 (was 0.5)" in output


def test_a_pipeline_that_changes_sizes_says_so_once(data: Path, tmp_path: Path) -> None:
    A.save(A.Compose([A.Resize(10, 12, p=1.0)]), tmp_path / "p.yml", data_format="yaml")
    output = done(data, "--balance", "--seed", 3, "--pipeline-yaml", tmp_path / "p.yml").output
    assert output.count("changes sizes") == 1


@pytest.mark.parametrize(
    ("text", "message"), [("x: 1", "not a pipeline"), ("!!python/name:os.system", "more than plain data")]
)
def test_a_bad_pipeline_changes_nothing(data: Path, tmp_path: Path, text: str, message: str) -> None:
    before = tree(data)
    (tmp_path / "p.yml").write_text(text)
    result = datasplit(data, "--balance", "--pipeline-yaml", tmp_path / "p.yml")
    assert result.exit_code == 1
    assert message in result.output.replace("\n", " ")
    assert tree(data) == before


def test_a_pipeline_that_fails_on_the_images_changes_nothing(data: Path, tmp_path: Path) -> None:
    before = tree(data)
    A.save(A.Compose([A.RandomCrop(500, 500, p=1.0)]), tmp_path / "p.yml", data_format="yaml")
    result = datasplit(data, "--balance", "--pipeline-yaml", tmp_path / "p.yml")
    assert result.exit_code == 1
    assert "fails on a 24×24 image" in result.output.replace("\n", " ")
    assert tree(data) == before


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
