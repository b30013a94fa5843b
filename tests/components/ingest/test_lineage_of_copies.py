"""What `datasplit` made of what, as ingest sees it: by the table, by the marks, by names at last."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from components.datasplit.__main__ import main as datasplit
from components.datasplit.folder_plan import FolderPlan, plan_folder
from components.datasplit.folder_work import FolderWork
from components.datasplit.read_folder import read_folder
from components.formats.dataset import read_shard, shard_paths
from components.images import copies
from components.images.copy_mark import CopyMark, marked, read_mark
from components.images.hashing import file_sha256
from components.images.source import SourceError
from components.ingest import pack as module
from components.ingest.ingest import ingest
from components.ingest.options import DataOptions
from components.split.plan import Rules


def draw(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    extension = path.suffix.lower() if path.suffix.lower() in (".png", ".webp", ".tif") else ".jpg"
    path.write_bytes(cv2.imencode(extension, cv2.resize(small, (16, 16), interpolation=cv2.INTER_CUBIC))[1].tobytes())


def ingested(data: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The summary, and the rows by id."""
    with TemporaryDirectory() as target:
        summary = ingest(str(data), Path(target), DataOptions())
        return summary, {row.id: row for path in shard_paths(target, "images") for row in read_shard(path)}


def planned(train: Path, seed: int) -> FolderPlan:
    folder = read_folder(train, group_regex=None, near=False, workers=1)
    shares = {"train": Fraction(4, 5), "test": Fraction(1, 5)}
    return plan_folder(folder, Rules(shares, ("train", "test"), Fraction(1), seed))


def split(data: Path, target: Path, seed: int) -> FolderPlan:
    """Do what `datasplit` does, in this process and without Beam; return the plan."""
    plan = planned(data / "train", seed)
    for side, parent in plan.folders():
        (target / side / parent).mkdir(parents=True, exist_ok=True)
    units, _ = plan.units(target, all_files=True)
    work = FolderWork(str(data / "train"), str(target), True, seed, None).prepare()
    for unit in units:
        work(unit)
        Path(unit.items).unlink()
    plan.write_lineage(target / "lineage.csv")
    for side in ("train", "test"):
        plan.write_csv(target / f"{side}.csv", side, ("label", "filename"))
    return plan


def sources_of(plan: FolderPlan, target: Path) -> dict[str, str]:
    """Each copy's original as the plan has it: which of the files was made of which, by path below the data folder."""
    folder = plan.folder
    place = [f"{plan.item(index).split}/{path}" for index, path in enumerate(folder.paths)]
    made = {place[index]: place[root] for index, root in folder.copies.roots.items()}
    for path in (path for path in target.rglob("*") if path.is_file() and path.parent.parent.parent == target):
        name = path.relative_to(target).as_posix()
        if name not in place:
            mark = read_mark(path.read_bytes())
            assert mark is not None
            index = next(i for i in range(len(place)) if folder.sha256(i) == mark.source_sha256)
            made[name] = made.get(place[index], place[index])
    return made


def sources_seen(rows: dict[str, Any]) -> dict[str, str]:
    assert all(row.copy > 0 for row in rows.values() if row.source_id != row.id)
    assert all(row.group == rows[row.source_id].group for row in rows.values())
    return {row.id: row.source_id for row in rows.values() if row.copy > 0}


# Parts of which names are made that look like copies, are cut for their length, or begin alike.
PARTS = ("a", "1", "20", "aug_", "_aug", "_aug1", "-2", "_", ".", ".jpg", ".png", ".webp", ".tif", "x" * 110, "é", " ")
NAMES = (
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=7)
    .map("".join)
    .filter(lambda name: len(name.encode()) <= 250 and not name.startswith(".") and name.strip() == name)
)


@contextmanager
def folder_of(names: list[str]) -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        data = Path(folder, "data")
        for number, name in enumerate(names):
            draw(data / "train" / "few" / name, number)
        for number in range(3 * len(names)):
            draw(data / "train" / "many" / f"{number:03d}.jpg", 100 + number)
        yield data


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(NAMES, min_size=1, max_size=6, unique=True), st.integers(0, 3))
def test_whatever_files_are_called_each_copy_stays_with_the_image_it_was_made_of(names: list[str], seed: int) -> None:
    with folder_of(names) as data:
        target = data.parent / "out"
        expected = sources_of(split(data, target, seed), target)
        assert expected
        summary, rows = ingested(target)
        assert sources_seen(rows) == expected
        assert summary["doubtful_copies"]["images"] == 0

        (target / "lineage.csv").unlink()  # the marks say the same
        _, rows = ingested(target)
        assert sources_seen(rows) == expected


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(NAMES, min_size=1, max_size=4, unique=True))
def test_a_second_split_knows_the_copies_of_the_first(names: list[str]) -> None:
    with folder_of(names) as data:
        first, again, second = data.parent / "first", data.parent / "again", data.parent / "second"
        plan = split(data, first, 1)
        assume(not plan.folder.copies.roots)  # what a name alone says of a photo goes with the name
        made = sources_of(plan, first)
        digest = {name: file_sha256((first / name).read_bytes()) for name in {*made, *made.values()}}
        before = {digest[name]: digest[source] for name, source in made.items()}
        for number, path in enumerate(sorted(path for path in first.rglob("*") if path.is_file())):
            if path.suffix != ".csv":  # under names that say nothing
                label = again / "train" / path.parent.name
                label.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, label / f"{number}{path.suffix}")

        split(again, second, 2)

        summary, rows = ingested(second)
        seen = sources_seen(rows)
        after = {rows[name].sha256: rows[source].sha256 for name, source in seen.items()}
        assert {copy: after.get(copy) for copy in before} == before
        assert all(name.split("/")[0] == source.split("/")[0] for name, source in seen.items())
        assert summary["doubtful_copies"]["images"] == 0


ODD = (b"caf\xe9.jpg", b"\xff" + b"x" * 245 + b".jpg", b"new\nline.jpg", b'quote",.jpg', b"car\rriage.jpg")


def test_names_that_are_no_text_are_found_in_the_table(tmp_path: Path) -> None:
    for number, odd in enumerate(ODD):
        draw(tmp_path / "data" / "train" / "few" / os.fsdecode(odd), number)
    for number in range(30):
        draw(tmp_path / "data" / "train" / "many" / f"{number}.jpg", 100 + number)
    plan = split(tmp_path / "data", tmp_path / "out", 1)

    summary, rows = ingested(tmp_path / "out")

    made = sources_seen(rows)
    assert len(made) == summary["given_copies"] == plan.plan.copies_of.sum() > 20
    marks = {file_sha256(path.read_bytes()): read_mark(path.read_bytes()) for path in (tmp_path / "out").rglob("*.*")}
    for name, source in made.items():
        mark = marks[rows[name].sha256]
        assert mark is not None
        assert mark.source_sha256 == rows[source].sha256


@pytest.fixture
def august(tmp_path: Path) -> Path:
    """Photos named by month, which look like copies, and others."""
    for number in range(12):
        draw(tmp_path / "august" / "train" / "few" / f"aug_2020_{number:03d}.jpg", number)
    for number in range(40):
        draw(tmp_path / "august" / "train" / "many" / f"{number:03d}.jpg", 100 + number)
    return tmp_path / "august"


def test_photos_of_august_are_originals_and_the_doubt_is_reported(august: Path) -> None:
    summary, rows = ingested(august)

    assert (summary["given_copies"], {row.copy for row in rows.values()}) == (0, {0})
    assert len({row.group for row in rows.values()}) == len(rows)
    [doubt] = summary["doubtful_copies"]["reasons"]
    assert (doubt["reason"], doubt["images"], len(doubt["first"])) == (copies.NO_SOURCE, 12, 10)
    assert doubt["first"][0] == "train/few/aug_2020_000.jpg"


@pytest.mark.heavy
@pytest.mark.parametrize("kept", ["table", "marks", "names"])
def test_copies_of_august_photos_stay_with_their_sources(august: Path, kept: str) -> None:
    done = CliRunner().invoke(datasplit, ["--balance-train", "--seed", "1", "--workers", "1", str(august)])
    assert done.exit_code == 0, done.output
    if kept != "table":
        (august / "lineage.csv").unlink()
    if kept == "names":
        for path in (august / "train").rglob("*_aug*.jpg"):
            path.write_bytes(path.read_bytes().replace(b"affect-copy", b"some-comment"[:11]))

    summary, rows = ingested(august)

    made = {name: row for name, row in rows.items() if "_aug" in Path(name).name.removeprefix("aug_")}
    assert summary["given_copies"] == len(made) == sum(row.copy > 0 for row in rows.values()) > 10
    for name, row in made.items():
        assert row.source_id == row.group == name[: name.rindex("_aug")] + ".jpg"
    assert summary["doubtful_copies"]["images"] == (0 if kept == "table" else 12)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("file,source,copy\ntrain/few/gone.jpg,train/many/001.jpg,1\n", "a copy that is not there: train/few/gone.jpg"),
        ("file,source,copy\ntrain/many/002.jpg,../../victim.jpg,1\n", r"not there: \.\./\.\./victim\.jpg"),
        ("file,source,copy\ntrain/many/002.jpg\0,train/many/001.jpg,1\n", r"NUL|not there"),
    ],
)
def test_a_table_that_does_not_fit_the_folder_stops_the_run(august: Path, table: str, message: str) -> None:
    (august / "lineage.csv").write_text(table)
    with pytest.raises(SourceError, match=message):
        ingested(august)


def test_somebody_elses_table_is_left_alone(august: Path) -> None:
    (august / "lineage.csv").write_text("species,ancestor\nhomo,pan\n")
    assert ingested(august)[0]["images"] == 52


def test_what_marks_say_is_the_same_whatever_the_number_of_workers(
    august: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split(august, tmp_path / "out", 1)
    renamed = list((tmp_path / "out").rglob("*_aug*.jpg"))
    for path in renamed:
        path.rename(path.with_name(path.name.replace("_aug", "-").replace("aug_", "photo ")))
    for table in (tmp_path / "out").glob("*.csv"):
        table.unlink()
    shards = []
    for workers in (1, 2):
        monkeypatch.setattr(module, "_IMAGES_PER_SHARD", 20)
        monkeypatch.setattr(module, "_IMAGES_WORTH_A_POOL", 0 if workers > 1 else 10**9)
        target = tmp_path / str(workers)
        target.mkdir()
        ingest(str(tmp_path / "out"), target, DataOptions())
        shards.append([path.read_bytes() for path in shard_paths(target, "images")])
    assert shards[0] == shards[1]
    assert len(shards[0]) > 2
    copied = [row.copy for path in shard_paths(tmp_path / "1", "images") for row in read_shard(path)]
    assert sum(copied) == len(renamed) > 10


def test_a_folder_whose_only_image_is_a_copy_of_a_corrected_one_is_no_class(tmp_path: Path) -> None:
    for number in range(3):
        draw(tmp_path / "data" / "happy" / f"{number}.jpg", number)
        draw(tmp_path / "data" / "sad" / f"{number}.jpg", 10 + number)
    copy, source = tmp_path / "data" / "joy" / "x.jpg", tmp_path / "data" / "happy" / "0.jpg"
    draw(copy, 20)
    copy.write_bytes(marked(copy.read_bytes(), "jpeg", CopyMark(file_sha256(source.read_bytes()), 1)))
    (tmp_path / "labels.csv").write_text("path,label\nhappy/0.jpg,sad\n")
    (tmp_path / "out").mkdir()

    summary = ingest(str(tmp_path / "data"), tmp_path / "out", DataOptions(labels_csv=str(tmp_path / "labels.csv")))

    assert summary["classes"] == {"happy": 2, "sad": 5}


def test_a_copy_that_only_its_mark_tells_is_left_out_with_its_excluded_source(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for number in range(4):
        draw(data / "happy" / f"{number}.jpg", number)
        draw(data / "sad" / f"{number}.jpg", 10 + number)
    sources = [data / "happy" / "0.jpg", data / "happy" / "x.jpg", data / "sad" / "1.jpg"]
    for copy, source in zip(
        [data / "happy" / "x.jpg", data / "happy" / "y.jpg", data / "sad" / "z.jpg"], sources, strict=True
    ):
        draw(copy, 20 + len(copy.name) + ord(copy.name[0]))
        copy.write_bytes(marked(copy.read_bytes(), "jpeg", CopyMark(file_sha256(source.read_bytes()), 1)))
    (tmp_path / "labels.csv").write_text("path,label,exclude\nhappy/0.jpg,happy,yes\n")
    (tmp_path / "out").mkdir()

    summary = ingest(str(data), tmp_path / "out", DataOptions(labels_csv=str(tmp_path / "labels.csv")))

    kept = [row.id for path in shard_paths(tmp_path / "out", "images") for row in read_shard(path)]
    gone = {"happy/0.jpg", "happy/x.jpg", "happy/y.jpg"}  # a copy of it, and that copy's copy
    assert sorted(kept) == sorted({str(path.relative_to(data)) for path in data.rglob("*.jpg")} - gone)
    assert summary["classes"] == {"happy": 3, "sad": 5}
    assert summary["excluded"] == {"excluded by data.labels_csv": 3}


def test_data_whose_copies_are_of_other_images_is_other_data(august: Path, tmp_path: Path) -> None:
    split(august, tmp_path / "out", 1)
    table = tmp_path / "out" / "lineage.csv"

    def digest() -> str:
        (tmp_path / "packed").mkdir()
        found = ingest(str(tmp_path / "out"), tmp_path / "packed", DataOptions())["data_digest"]
        shutil.rmtree(tmp_path / "packed")
        return str(found)

    before = digest()
    header, first, *others = table.read_text().splitlines()
    (file, source, number), last = first.split(","), others[-1].split(",")[1]
    assert source != last
    table.write_text("\n".join([header, f"{file},{last},{number}", *others]) + "\n")

    assert digest() != before
