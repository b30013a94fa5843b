"""Which images `affect datasplit` keeps on one side."""

from pathlib import Path

import cv2
import pytest
from datasplit_command import datasplit, done, tree
from drawn_images import draw, draw_folder

# `datasplit` imports Beam when the work begins.
pytestmark = pytest.mark.heavy


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
