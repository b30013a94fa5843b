"""The next training's split: what was test stays test."""

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from components.evaluator.comparison import decide
from components.formats.dataset import SPLITS, read_shard, shard_paths
from components.images.codec import encode
from components.images.hashing import perceptual_hash
from components.images.spans import find_places
from components.ingest.ingest import ingest
from components.ingest.options import DataOptions
from components.split_balance_augment.options import AugmentOptions, BalanceOptions, SplitOptions
from components.split_balance_augment.split_dataset import split_dataset
from components.work.options import BeamOptions

Pixels = np.ndarray[Any, Any]


def picture(seed: int) -> Pixels:
    """A soft pattern, whose perceptual hash a faint change leaves alike."""
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    return cv2.resize(coarse, (32, 32), interpolation=cv2.INTER_CUBIC)


def draw_span(folder: Path, seeds: range) -> None:
    for seed in seeds:
        write(folder / ("happy" if seed % 2 else "sad") / f"{seed}.png", picture(seed))


def write(path: Path, pixels: Pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(pixels, "png"))


def split(pattern: str, target: Path, group_near: bool = False, **options: Any) -> dict[str, Any]:
    images, dataset = target / "images", target / "dataset"
    images.mkdir(parents=True)
    dataset.mkdir()
    ingest(find_places([pattern], options.pop("until", "")), images, DataOptions(layout="classes"))
    return split_dataset(
        str(images),
        str(dataset),
        split=SplitOptions(**options),
        balance=BalanceOptions(),
        augment=AugmentOptions(),
        beam=BeamOptions(workers=1),
        group_near=group_near,
    )


def splits_of(target: Path) -> dict[str, str]:
    return {
        row.id: name
        for name in SPLITS
        for path in shard_paths(target / "dataset", name)
        for row in read_shard(path)
        if not row.copy
    }


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("faces")
    draw_span(root / "2026-10", range(120))
    draw_span(root / "2026-11", range(120, 200))
    return f"{root}/{{YYYY}}-{{MM}}"


def test_a_later_span_moves_nothing_and_the_model_to_beat_has_seen_no_test_image(faces: str, tmp_path: Path) -> None:
    first = split(faces, tmp_path / "first", until="2026-10")
    second = split(faces, tmp_path / "second")

    before, after = splits_of(tmp_path / "first"), splits_of(tmp_path / "second")
    assert len(before) == 120
    assert len(after) == 200
    assert before.items() <= after.items()
    assert {after[one] for one in after.keys() - before.keys()} == set(SPLITS)
    assert list(second["folders"]) == ["2026-10", "2026-11"]
    for summary in (first, second):
        test = summary["assignment"]["splits"]["test"]
        assert abs(test["share"] - 0.2) < 4 * test["expected"]
    rows = [
        row for name in SPLITS for path in shard_paths(tmp_path / "second/dataset", name) for row in read_shard(path)
    ]
    older = {row.sha256[:16] for row in rows if before.get(row.id) in ("train", "eval")}
    comparison = decide(
        older, None, [(row.sha256, row.group) for row in rows], [row.group for row in rows if row.split == "test"]
    )
    assert comparison.on == "all"  # so that of an exact split is "new", or "seen"


def test_train_is_filled_up_to_the_largest_class_that_there_is(faces: str, tmp_path: Path) -> None:
    summary = split(faces, tmp_path / "out")

    train = summary["counts"]["train"]
    assert len({cell["originals"] + cell["copies"] for cell in train.values()}) == 1
    assert min(cell["copies"] for cell in train.values()) == 0
    assert all(cell["missing"] == 0 for cell in train.values())


def test_one_folder_is_stable_where_that_is_asked_for(faces: str, tmp_path: Path) -> None:
    folder = Path(faces.replace("{YYYY}-{MM}", "2026-10"))
    split(str(folder), tmp_path / "first", assignment="stable")
    shutil.copytree(folder, tmp_path / "grown")
    draw_span(tmp_path / "grown", range(300, 330))
    (tmp_path / "grown/sad/0.png").unlink()
    draw_span(tmp_path / "grown/calm", range(400, 440))

    split(str(tmp_path / "grown"), tmp_path / "second", assignment="stable")

    before, after = splits_of(tmp_path / "first"), splits_of(tmp_path / "second")
    del before["sad/0.png"]
    assert before.items() <= after.items()
    assert split(str(folder), tmp_path / "exact")["assignment"] is None


def test_several_folders_may_be_divided_exactly(faces: str, tmp_path: Path) -> None:
    summary = split(faces, tmp_path / "out", assignment="exact")

    assert summary["assignment"] is None
    assert {name: sum(cell["originals"] for cell in cells.values()) for name, cells in summary["counts"].items()} == {
        "train": 140,
        "eval": 20,
        "test": 40,
    }


def test_paths_are_searched_below_their_folder(tmp_path: Path) -> None:
    for name, first in (("2026-10", 0), ("2026-11", 100)):
        for seed in range(first, first + 60):
            label = "happy" if seed % 2 else "sad"
            write(tmp_path / "faces" / name / label / f"p{seed // 2 % 30}" / f"{seed}.png", picture(seed))

    split(f"{tmp_path}/faces/{{YYYY}}-{{MM}}", tmp_path / "out", group_on="path", group_regex=r"^[^/]+/(p\d+)/")

    by_person: dict[str, set[str]] = {}
    for file_id, name in splits_of(tmp_path / "out").items():
        by_person.setdefault(file_id.split("/")[2], set()).add(name)
    assert len(by_person) == 30
    assert all(len(found) == 1 for found in by_person.values())


def test_an_image_that_ties_two_splits_together_is_left_out_and_told(faces: str, tmp_path: Path) -> None:
    """The new image is of a person in train, with the very pixels of one in test."""
    root = tmp_path / "faces"
    for seed in range(60):
        write(root / "2026-10" / ("happy" if seed % 2 else "sad") / f"p{seed}-0.png", picture(seed))
    options: dict[str, Any] = {"group_regex": r"^(p\d+)-"}
    split(f"{root}/{{YYYY}}-{{MM}}", tmp_path / "first", **options)
    before = splits_of(tmp_path / "first")
    train, test = (min(one for one, name in before.items() if name == wanted) for wanted in ("train", "test"))
    person = Path(train).name.partition("-")[0]
    (root / "2026-11/happy").mkdir(parents=True)
    shutil.copy(root / test, root / f"2026-11/happy/{person}-1.png")
    write(root / "2026-11/happy/p99-0.png", picture(99))

    summary = split(f"{root}/{{YYYY}}-{{MM}}", tmp_path / "second", **options)

    after = splits_of(tmp_path / "second")
    assert before.items() <= after.items()
    assert set(after) - set(before) == {"2026-11/happy/p99-0.png"}
    assert summary["leaking_groups"] == 0
    assert summary["assignment"]["left_out"] == 1
    assert summary["assignment"]["warning"] == (
        "1 image is left out: it belongs together with older images of two splits, so it would leak from one into the "
        f"other (2026-11/happy/{person}-1.png)."
    )


def test_a_near_duplicate_goes_where_the_older_picture_is(faces: str, tmp_path: Path) -> None:
    root = tmp_path / "faces"
    draw_span(root / "2026-10", range(60))
    for seed in range(60):
        pixels = picture(seed)
        changed = np.clip(pixels.astype(np.int16) + 3, 0, 255).astype(np.uint8)
        assert bin(perceptual_hash(pixels) ^ perceptual_hash(changed)).count("1") <= 3  # type: ignore[operator]
        write(root / "2026-11" / ("happy" if seed % 2 else "sad") / f"{seed}.png", changed)

    split(f"{root}/{{YYYY}}-{{MM}}", tmp_path / "first", group_near=True, until="2026-10")
    summary = split(f"{root}/{{YYYY}}-{{MM}}", tmp_path / "out", group_near=True)

    before, after = splits_of(tmp_path / "first"), splits_of(tmp_path / "out")
    assert before.items() <= after.items()
    assert summary["assignment"]["left_out"] == 0
    assert {after[one] for one in before if before[one] == "test"} == {"test"}
    for one, name in before.items():
        assert after[one.replace("2026-10", "2026-11")] == name
