"""One data set in every form in which it is taken, ingested to the end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from drawn_containers import (
    as_fer2013,
    as_folder,
    as_parquet,
    as_tar,
    as_zip,
    faces,
    fer2013_rows,
    parquet_rows,
)

from components.images.source import SourceError
from components.ingest import pack as module
from components.ingest.ingest import ingest
from components.ingest.options import DataOptions


def run(uri: Path | str, target: Path, options: DataOptions | None = None) -> dict[str, Any]:
    target.mkdir(parents=True)
    return ingest(str(uri), target, options or DataOptions())


def written(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _shards(files: dict[str, bytes], folder: Path) -> Path:
    for split in ("train", "test"):
        as_parquet(parquet_rows(files, split), folder / "data" / f"{split}-00000-of-00001.parquet")
    return folder


CONTAINERS: dict[str, Callable[[dict[str, bytes], Path], Path]] = {
    "zip": lambda files, path: as_zip(files, path.with_suffix(".zip")),
    "tar": lambda files, path: as_tar(files, path.with_suffix(".tar")),
    "tar.gz": lambda files, path: as_tar(files, path.with_suffix(".tar.gz"), "w:gz"),
    "parquet": _shards,
}


@pytest.mark.parametrize("form", CONTAINERS)
@pytest.mark.parametrize("workers", ["one process", "several processes"])
def test_the_artifact_is_the_folders_byte_for_byte(
    form: str, workers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(as_folder(faces(), tmp_path / "folder"), tmp_path / "expected")
    if workers == "several processes":
        monkeypatch.setattr(module, "_IMAGES_WORTH_A_POOL", 0)

    run(CONTAINERS[form](faces(), tmp_path / "container"), tmp_path / "out")

    assert written(tmp_path / "out") == written(tmp_path / "expected")  # nothing that was unpacked is left


def test_fer2013_is_ingested_with_its_splits(tmp_path: Path) -> None:
    summary = run(as_fer2013(fer2013_rows(), tmp_path / "fer2013.csv"), tmp_path / "out")

    assert (summary["images"], summary["classes"]) == (14, {"happy": 7, "sad": 7})
    assert summary["given_splits"] == {"eval": 2, "test": 2}
    assert (summary["sizes"], summary["formats"], summary["reencoded"]) == ({"48×48": 14}, {"png": 14}, 0)


def test_what_cannot_be_used_in_an_archive_is_quarantined_with_its_reason(tmp_path: Path) -> None:
    path = as_zip(faces() | {"../out.png": b"x", "train/sad/note.txt": b"hello"}, tmp_path / "a.zip")
    data = bytearray(path.read_bytes())
    data[data.find(b"train/happy/0.png") + 60] ^= 255
    path.write_bytes(data)

    summary = run(path, tmp_path / "out")

    table = pq.read_table(tmp_path / "out" / "quarantine.parquet").to_pylist()
    assert [row["id"] for row in table] == ["../out.png", "train/happy/0.png", "train/sad/note.txt"]
    assert table[0]["reason"] == "a name that leads out of the archive"
    assert table[1]["reason"].startswith("damaged: ")
    assert summary["images"] == 15


def test_a_table_corrects_labels_in_an_archive(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("path,label\ntrain/happy/0.png,sad\n")

    summary = run(as_zip(faces(), tmp_path / "a.zip"), tmp_path / "out", DataOptions(labels_csv=str(table)))

    assert summary["classes"] == {"happy": 7, "sad": 9}


def test_a_table_in_an_archive_is_named_with_a_way_to_use_it(tmp_path: Path) -> None:
    images = list(faces().values())
    flat = {f"{number}.png": image for number, image in enumerate(images)}
    lines = [f"{name},{'happy' if index % 2 else 'sad'}" for index, name in enumerate(flat)]
    path = as_zip(flat | {"labels.csv": "\n".join(["path,label", *lines]).encode()}, tmp_path / "a.zip")

    with pytest.raises(SourceError, match=r"take labels\.csv out of the archive and name it by data\.labels_csv$"):
        run(path, tmp_path / "out")


def test_a_path_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_zip(faces(), tmp_path / "a.zip")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "_IMAGES_WORTH_A_POOL", 0)
    Path("out").mkdir()

    assert ingest("a.zip", Path("out"), DataOptions())["images"] == 16


def test_data_in_another_form_stops_the_run_with_a_remedy(tmp_path: Path) -> None:
    folder = as_folder({"images/train/1.png": b"", "labels/train/1.txt": b"0 .5 .5 1 1"}, tmp_path / "yolo")

    with pytest.raises(SourceError, match="yolo: it looks like a YOLO data set, labels in text files: cut or copy"):
        run(folder, tmp_path / "out")
