import csv
import os
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from ingested import draw, rows, run
from PIL import Image

from components.datasplit.__main__ import main as datasplit
from components.formats import dataset as manifest
from components.formats.dataset import shard_paths
from components.formats.documents import SUMMARY
from components.images.codec import decode, encode
from components.images.folder_digest import folder_digest
from components.images.hashing import pixels_sha256
from components.images.source import SourceError
from components.ingest import pack as module
from components.ingest.options import DataOptions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for index in range(12):
        draw(root / "train" / ("happy" if index % 3 else "sad") / f"{index}.jpg", index)
    return root


def test_original_bytes_and_labels_arrive(folder: Path, tmp_path: Path) -> None:
    summary = run(folder, tmp_path / "out")

    found = rows(tmp_path / "out")
    assert summary["classes"] == {"happy": 8, "sad": 4}
    assert all(row.image == (folder / id_).read_bytes() for id_, row in found.items())
    assert SUMMARY.read(tmp_path / "out") == summary


def test_the_same_bytes_whatever_the_listing_and_the_workers(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_IMAGES_PER_SHARD", 5)
    run(folder, tmp_path / "one")
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: list(reversed(listdir(path))))
    monkeypatch.setattr(module, "_IMAGES_WORTH_A_POOL", 0)
    run(folder, tmp_path / "two")

    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(shard_paths(tmp_path / "two", "images")) == 3
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_large_images_are_not_all_held_in_memory(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(folder, tmp_path / "imports")
    pixels = np.random.default_rng(0).integers(0, 255, (400, 400, 3), dtype=np.uint8)
    for index in range(60):
        path = folder / "train" / "happy" / f"{index}.bmp"
        path.write_bytes(encode(np.roll(pixels, index, axis=0), "bmp"))
    total = sum(path.stat().st_size for path in folder.rglob("*.bmp"))
    monkeypatch.setattr(manifest, "BYTES_PER_GROUP", total // 20)
    pool, arrow = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())
    pa.set_memory_pool(arrow)
    tracemalloc.start()
    try:
        run(folder, tmp_path / "out")
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(pool)

    assert held < total / 2
    assert arrow.max_memory() < total / 2
    assert all(row.image == (folder / id_).read_bytes() for id_, row in rows(tmp_path / "out").items())


def test_unusable_files_are_quarantined_with_a_reason(folder: Path, tmp_path: Path) -> None:
    (folder / "train" / "sad" / "note.txt").write_text("hello")
    (folder / "train" / "sad" / "dangling.jpg").symlink_to("nowhere")
    (folder / "train" / "sad" / "loop").symlink_to("..")
    outside = draw(tmp_path / "outside.jpg", 99)
    (folder / "train" / "sad" / "out.jpg").symlink_to(outside)
    os.mkfifo(folder / "train" / "sad" / "pipe.jpg")
    draw(folder / "train" / "sad" / ".hidden.jpg", 98)

    summary = run(folder, tmp_path / "out")

    table = {
        row["id"].rsplit("/", 1)[-1]: row["reason"]
        for row in pq.read_table(tmp_path / "out" / "quarantine.parquet").to_pylist()
    }
    assert set(table) == {"note.txt", "dangling.jpg", "loop", "out.jpg", "pipe.jpg"}
    assert table["out.jpg"] == "link that leads out of the data folder"
    assert table["pipe.jpg"] == "not a regular file"
    assert (summary["quarantined"], summary["hidden"], summary["images"]) == (5, 1, 12)


def test_an_unusable_file_stops_where_the_options_say_so(folder: Path, tmp_path: Path) -> None:
    (folder / "train" / "sad" / "note.txt").write_text("hello")

    with pytest.raises(SourceError, match=r"train/sad/note\.txt: not an image"):
        run(folder, tmp_path / "out", DataOptions(on_bad_image="error"))


@pytest.mark.heavy
def test_a_folder_that_datasplit_left_unusable_files_and_links_in_is_read(folder: Path, tmp_path: Path) -> None:
    (folder / "train" / "happy" / "broken.jpg").write_bytes(b"\xff\xd8 broken")
    (folder / "train" / "happy" / "link.jpg").symlink_to("../sad/0.jpg")
    (folder / "train" / "sad" / "again").symlink_to("../happy")
    split = CliRunner().invoke(datasplit, ["--balance", "--seed", "1", "--workers", "1", str(folder)])
    assert split.exit_code == 0, split.output

    run(folder, tmp_path / "out")

    assert "train/happy/broken.jpg" in pq.read_table(tmp_path / "out" / "quarantine.parquet")["id"].to_pylist()
    assert {row.copy for row in rows(tmp_path / "out").values()} == {0, 1}
    (folder / "train.csv").write_text("label,filename\n")
    with pytest.raises(SourceError, match=r"train\.csv lacks a file"):
        run(folder, tmp_path / "again")


def test_duplicates_and_conflicts_are_reported(folder: Path, tmp_path: Path) -> None:
    source = folder / "train" / "happy" / "1.jpg"
    shutil.copy(source, folder / "train" / "happy" / "again.jpg")
    shutil.copy(source, folder / "train" / "sad" / "again.jpg")

    summary = run(folder, tmp_path / "out")

    assert summary["duplicates"] == {"exact": 0, "conflict": 3, "near": 0}
    table = pq.read_table(tmp_path / "out" / "duplicates.parquet").to_pylist()
    assert [row["id"] for row in table] == ["train/happy/1.jpg", "train/happy/again.jpg", "train/sad/again.jpg"]


def test_copies_by_name_are_tied_to_their_source(folder: Path, tmp_path: Path) -> None:
    draw(folder / "train" / "happy" / "1_aug1.jpg", 50)
    draw(folder / "train" / "happy" / "aug_02.jpg", 51)
    draw(folder / "test" / "happy" / "2_aug1.jpg", 52)

    run(folder, tmp_path / "out")

    found = rows(tmp_path / "out")
    for copy, source in (
        ("train/happy/1_aug1.jpg", "train/happy/1.jpg"),
        ("train/happy/aug_02.jpg", "train/happy/2.jpg"),
        ("test/happy/2_aug1.jpg", "train/happy/2.jpg"),
    ):
        assert (found[copy].source_id, found[copy].group, found[copy].copy) == (source, source, 1)
        assert (found[source].source_id, found[source].group, found[source].copy) == (source, source, 0)


def test_a_torn_copys_source_is_the_image_in_train_however_the_folders_are_called(tmp_path: Path) -> None:
    for given in ("val", "eval"):
        root = tmp_path / given
        for index, place in enumerate(("train/sad/0.jpg", "train/happy/1.jpg", f"{given}/happy/1.jpg")):
            draw(root / place, index)
        draw(root / "test" / "happy" / "1_aug1.jpg", 9)

        run(root, tmp_path / f"{given}-out")

        assert rows(tmp_path / f"{given}-out")["test/happy/1_aug1.jpg"].source_id == "train/happy/1.jpg"


@pytest.mark.parametrize("unusable", [b"", None])
def test_copies_whose_source_cannot_be_used_are_tied_to_each_other(
    folder: Path, tmp_path: Path, unusable: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_IMAGES_PER_SHARD", 5)
    for index in (1, 2):
        draw(folder / "train" / "happy" / f"1_aug{index}.jpg", 50 + index)
    source = folder / "train" / "happy" / "1.jpg"
    source.unlink() if unusable is None else source.write_bytes(unusable)

    summary = run(folder, tmp_path / "out")

    found = rows(tmp_path / "out")
    copies = [found[f"train/happy/1_aug{index}.jpg"] for index in (1, 2)]
    assert [(row.source_id, row.copy) for row in copies] == [(row.id, 0) for row in copies]
    assert copies[0].group == copies[1].group not in found
    assert summary["given_copies"] == 0


@pytest.mark.parametrize("given", ["test", "train"])
def test_a_corrected_label_does_not_part_a_copy_from_its_source(folder: Path, tmp_path: Path, given: str) -> None:
    draw(folder / "train" / "happy" / "1_aug1.jpg", 50)
    draw(folder / "train" / "stray_aug1.jpg", 51)
    draw(folder / "train" / "stray.jpg", 52)
    source = folder / given / "happy" / "1.jpg"
    source.parent.mkdir(parents=True, exist_ok=True)
    (folder / "train" / "happy" / "1.jpg").rename(source)
    table = tmp_path / "labels.csv"
    table.write_text(f"path,label\n{given}/happy/1.jpg,sad\ntrain/stray.jpg,sad\ntrain/stray_aug1.jpg,happy\n")

    run(folder, tmp_path / "out", DataOptions(labels_csv=str(table)))

    found = rows(tmp_path / "out")
    assert found[f"{given}/happy/1.jpg"].label == "sad"
    for copy, original in (("happy/1_aug1.jpg", f"{given}/happy/1.jpg"), ("stray_aug1.jpg", "train/stray.jpg")):
        assert found[f"train/{copy}"].source_id == found[f"train/{copy}"].group == original
    assert found["train/happy/1_aug1.jpg"].label == "sad"  # corrected with its source
    assert found["train/stray_aug1.jpg"].label == "happy"  # by a line of its own


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: None, "no such folder"),
        (lambda root: root.mkdir(), "no class folder"),
        (lambda root: (root / "train" / "happy").mkdir(parents=True), "no usable image"),
        (lambda root: draw(root / "train" / "happy" / "a.jpg", 1), "only one class"),
        (lambda root: draw(root / "happy" / "a.jpg", 1), "only one class"),
    ],
)
def test_a_folder_that_holds_no_classifiers_data_is_an_error(
    make: Callable[[Path], Any], message: str, tmp_path: Path
) -> None:
    make(tmp_path / "data")

    with pytest.raises(SourceError, match=message):
        run(tmp_path / "data", tmp_path / "out")


def test_the_same_images_are_the_same_data_whatever_level_of_the_folder_is_named(folder: Path, tmp_path: Path) -> None:
    whole = run(folder, tmp_path / "whole")
    inside = run(folder / "train", tmp_path / "inside")

    assert whole["data_digest"] == inside["data_digest"]
    order = [[row.sha256 for row in rows(tmp_path / name).values()] for name in ("whole", "inside")]
    assert order[0] == order[1]  # and so is the model that is trained on them
    (folder / "train" / "happy").rename(folder / "train" / "glad")
    assert run(folder, tmp_path / "other")["data_digest"] != whole["data_digest"]


def test_the_digest_follows_content_and_names_but_not_times(folder: Path) -> None:
    before = folder_digest(str(folder))
    path = folder / "train" / "happy" / "1.jpg"
    os.utime(path, (1, 1))
    assert folder_digest(str(folder)) == before

    path.write_bytes(path.read_bytes() + b"\0")
    changed = folder_digest(str(folder))
    path.rename(path.with_name("renamed.jpg"))

    assert len({before, changed, folder_digest(str(folder))}) == 3


def test_the_hostile_folder_is_accounted_for_file_by_file(data_set: Callable[[str], Path], tmp_path: Path) -> None:
    root = tmp_path / "hostile"
    shutil.copytree(data_set("dirty_hostile"), root, symlinks=True)
    for label, reason in (("empty_class", "its folder is empty"), ("all_corrupt", "2 files can't be used")):
        with pytest.raises(SourceError, match=f"no usable image of the class {label}: {reason}"):
            run(root, tmp_path / f"with {label}")
        shutil.rmtree(root / "train" / label)
    with (root / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        manifest = [row for row in csv.DictReader(file) if not row["path"].startswith("all_corrupt/")]
    hidden = [row for row in manifest if any(part.startswith(".") for part in row["path"].split("/"))]
    misplaced = [row for row in manifest if "/" not in row["path"]]
    readable = [row for row in manifest if row["pil_result"] == "ok" or row["path"] == "sad/png_decompression_dos.png"]
    good = [row for row in readable if row not in hidden and row not in misplaced]

    summary = run(root, tmp_path / "out")

    assert summary["images"] == len(good) == 184
    # A broken link, a link to a folder and everything that can't be read, but not what is surely no data.
    assert summary["left_out"] == {"hidden": 4, "system": 2}
    assert summary["quarantined"] == len(manifest) - len(good) - 6
    ids = set(rows(tmp_path / "out"))
    assert "train/anger/latin1_\\xe9.jpg" in ids
    assert "train/anger/new\nline.jpg" in ids


def test_real_photos_have_the_duplicates_that_are_known_of_them(
    data_set: Callable[[str], Path], tmp_path: Path
) -> None:
    summary = run(data_set("trashnet96"), tmp_path / "out")

    assert summary["images"] == 2527
    assert summary["duplicates"]["conflict"] == 6  # three pairs that cross classes
    assert summary["reencoded"] == 0


def test_files_that_tensorflow_would_refuse_arrive_as_ones_that_it_takes(folder: Path, tmp_path: Path) -> None:
    source = folder / "train" / "happy" / "1.jpg"
    whole = source.read_bytes()
    source.write_bytes(whole[:-2] + bytes(200))
    kept = folder / "train" / "happy" / "2.jpg"

    summary = run(folder, tmp_path / "out")

    found = rows(tmp_path / "out")
    assert summary["reencoded"] == 1
    assert found["train/happy/2.jpg"].image == kept.read_bytes()
    assert decode(found["train/happy/1.jpg"].image).keep
    assert found["train/happy/1.jpg"].pixels == pixels_sha256(decode(whole).pixels)


def test_floats_of_any_range_are_other_pictures_not_duplicates(folder: Path, tmp_path: Path) -> None:
    pixels = {}
    for number in range(4):
        grey = np.random.default_rng(number).integers(0, 256, (24, 24)).astype(np.float32)
        grey[0, :2] = 0, 255
        pixels[number] = grey
        Image.fromarray(grey / 127.5 - 1).save(folder / "train" / "happy" / f"float{number}.tif")

    summary = run(folder, tmp_path / "out")

    found = rows(tmp_path / "out")
    assert summary["duplicates"]["exact"] == 0
    assert summary["constant"] == {}
    for number, grey in pixels.items():
        assert np.array_equal(decode(found[f"train/happy/float{number}.tif"].image).pixels, grey)


def test_constant_images_are_counted_by_class(folder: Path, tmp_path: Path) -> None:
    for number, level in enumerate((0, 30, 255)):
        (folder / "train" / "sad" / f"blank{number}.png").write_bytes(encode(np.full((24, 24), level, np.uint8), "png"))

    assert run(folder, tmp_path / "out")["constant"] == {"sad": 3}


def test_a_film_among_the_images_is_not_read(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.images.pieces.PIECE", 1000)
    film = folder / "train" / "sad" / "film.mkv"
    film.write_bytes(b"\x1aE\xdf\xa3")
    os.truncate(film, 1 << 40)  # a terabyte that takes no space

    assert run(folder, tmp_path / "out")["quarantined"] == 1
    [bad] = pq.read_table(tmp_path / "out" / "quarantine.parquet").to_pylist()
    assert (bad["id"], bad["reason"]) == (
        "train/sad/film.mkv",
        "not an image that can be read: a video; convert it to JPEG or PNG",
    )
