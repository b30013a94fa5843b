"""Damage of an artifact's files is found, whatever it is."""

import json
import random
from pathlib import Path

import pytest

from pipeline.lineage.files import FILES, damage_of, record_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An artifact of some files, an empty one and one with an odd name among them."""
    root = tmp_path / "artifact [1]"
    (root / "Split-train").mkdir(parents=True)
    numbers = random.Random(7)
    for name in ("Split-train/data-00000-of-00002.gz", "Split-train/data-00001-of-00002.gz", "=größe?.json"):
        (root / name).write_bytes(numbers.randbytes(60))
    (root / "empty").touch()
    return root


def test_what_is_whole_is_whole_wherever_it_lies(folder: Path) -> None:
    recorded = {FILES: record_of(str(folder))}
    assert damage_of(str(folder), recorded) is None

    moved = folder.rename(folder.with_name("elsewhere"))

    assert damage_of(str(moved), recorded) is None


def test_every_flipped_bit_is_found(folder: Path) -> None:
    recorded = {FILES: record_of(str(folder))}
    for name in json.loads(recorded[FILES] or ""):
        content = (folder / name).read_bytes()
        for bit in range(len(content) * 8):
            flipped = bytearray(content)
            flipped[bit // 8] ^= 1 << bit % 8
            (folder / name).write_bytes(flipped)
            assert damage_of(str(folder), recorded) == f"{folder / name} was changed"
        (folder / name).write_bytes(content)


def test_a_file_that_is_gone_is_named_and_one_that_came_is_none(folder: Path) -> None:
    recorded = {FILES: record_of(str(folder))}
    (folder / ".DS_Store").touch()
    assert damage_of(str(folder), recorded) is None

    (folder / "empty").unlink()

    assert damage_of(str(folder), recorded) == f"{folder / 'empty'} is missing"


def test_what_lies_elsewhere_or_was_never_recorded_is_not_judged(folder: Path) -> None:
    assert record_of("s3://bucket/artifact") is None
    assert record_of(str(folder / "gone")) is None
    assert damage_of(str(folder), {}) is None
