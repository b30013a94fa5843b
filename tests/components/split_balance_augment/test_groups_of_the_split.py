"""Which images share a group, as the split's shards say it."""

from pathlib import Path
from typing import Any

import pytest
from drawn_images import draw_folder
from split_data_set import COUNTS, ingested, rows, run

from components.formats.dataset import SPLITS
from components.images.codec import decode, encode
from components.split_balance_augment.options import BalanceOptions, SplitOptions


def grouped(folder: Path, target: Path, group_regex: str | None = None, group_near: bool = False) -> dict[str, str]:
    """The group of each image of a folder, by id, as the split's data set has them."""
    target.mkdir()
    options: dict[str, Any] = {"split": SplitOptions(seed=5, group_regex=group_regex), "group_near": group_near}
    run(ingested(folder, target / "images"), target / "split", **options, balance=BalanceOptions(splits=()))
    return {row.id: row.group for name in SPLITS for row in rows(target / "split", name)}


def test_equal_pictures_and_copies_share_a_group(tmp_path: Path) -> None:
    folder = draw_folder(tmp_path / "folder", COUNTS)
    first, second, third, *_ = sorted((folder / "train" / "happy").iterdir())
    for target in (folder / "train" / "happy" / "again.jpg", folder / "train" / "sad" / "again.jpg"):
        target.write_bytes(first.read_bytes())
    second.with_name(f"{second.stem}_aug1{second.suffix}").write_bytes(third.read_bytes())

    groups = grouped(folder, tmp_path / "out")

    ids = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    same = {groups[f"train/{name}"] for name in (f"happy/{first.name}", "happy/again.jpg", "sad/again.jpg")}
    copied = {groups[f"train/happy/{name}"] for name in (second.name, f"{second.stem}_aug1{second.suffix}", third.name)}
    assert len(same) == len(copied) == 1
    assert len(set(groups.values())) == len(ids) - 4


def test_the_group_expression_joins_file_names(tmp_path: Path) -> None:
    folder = draw_folder(tmp_path / "folder", COUNTS)
    files = sorted((folder / "train" / "happy").iterdir())[:3]
    for path, name in zip(files, ("S1_a", "S1_b", "S2_a"), strict=True):
        path.rename(path.with_name(f"{name}{path.suffix}"))

    groups = grouped(folder, tmp_path / "out", group_regex=r"^(S\d)_")

    first, second, third = (group for file, group in sorted(groups.items()) if "/S" in file)
    assert first == second != third


def test_groups_are_the_same_where_a_unit_reads_many_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = draw_folder(tmp_path / "folder", COUNTS)
    for index, path in enumerate(sorted(folder.rglob("*.jpg"))[::2]):
        path.rename(path.with_name(f"S{index % 9}_{path.name}"))
    at_once = grouped(folder, tmp_path / "at once", group_regex=r"^(S\d)_")

    monkeypatch.setattr("components.formats.dataset.ROWS_PER_GROUP", 1)

    assert grouped(folder, tmp_path / "one by one", group_regex=r"^(S\d)_") == at_once
    assert 9 < len(set(at_once.values())) < len(at_once)


def test_the_expression_is_searched_in_paths_where_it_is_to_and_what_came_of_it_is_kept(tmp_path: Path) -> None:
    folder = draw_folder(tmp_path / "folder", COUNTS)
    for label in COUNTS:
        for index, path in enumerate(sorted((folder / "train" / label).iterdir())):
            person = path.parent / f"S{index % 7}"
            person.mkdir(exist_ok=True)
            path.rename(person / path.name)
    images = ingested(folder, tmp_path / "images")
    name = SplitOptions(seed=5, group_regex=r"/(S\d)/")

    with pytest.raises(ValueError, match=r"split\.group_regex = .* captures nothing in any file name .*group_on=path"):
        run(images, tmp_path / "none", split=name)
    summary = run(images, tmp_path / "split", split=name.model_copy(update={"group_on": "path"}))

    images_there = sum(COUNTS.values())
    assert summary["groups"] == 7
    assert summary["captures"] == {
        "on": "path",
        "names": images_there,
        "captured": images_there,
        "keys": 7,
        "example": "",
        "text": f"captured in {images_there} of {images_there} paths: 7 keys, 7 groups in all",
    }


def test_near_duplicates_share_a_group_where_they_are_to(tmp_path: Path) -> None:
    folder = draw_folder(tmp_path / "folder", COUNTS)
    source = min((folder / "train" / "happy").iterdir())
    pixels = decode(source.read_bytes()).pixels
    (folder / "train" / "happy" / "near.jpg").write_bytes(encode(pixels, "jpeg", 90))

    apart, together = grouped(folder, tmp_path / "apart"), grouped(folder, tmp_path / "together", group_near=True)

    name = source.relative_to(folder).as_posix()
    assert apart[name] != apart["train/happy/near.jpg"]
    assert together[name] == together["train/happy/near.jpg"]
