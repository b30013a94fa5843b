"""Containers in an object store: a real S3 server on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import s3fs
from drawn_containers import as_parquet, as_tar, as_zip, faces, parquet_rows
from object_store import on_loopback, s3_server

from components.images.containers.open_data import open_data
from components.images.containers.stored_file import StoredFile
from components.images.folder_digest import folder_digest, quick_digest
from components.images.source import SourceError


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with s3_server() as found:
        yield found


@pytest.fixture
def store(port: int, monkeypatch: pytest.MonkeyPatch) -> s3fs.S3FileSystem:
    found = on_loopback(port, monkeypatch)
    if not found.exists("faces"):
        found.mkdir("faces")
    return found


@pytest.mark.parametrize("name", ["faces.zip", "faces.tar.gz"])
def test_an_archive_in_a_bucket_is_the_folder(name: str, store: s3fs.S3FileSystem, tmp_path: Path) -> None:
    path = tmp_path / name
    as_zip(faces("x/"), path) if name.endswith("zip") else as_tar(faces("x/"), path, "w:gz")
    store.put(str(path), f"faces/{name}")
    (tmp_path / "scratch").mkdir()

    source = open_data(f"s3://faces/{name}", tmp_path / "scratch")

    assert {file_id: source.read(file_id) for file_id in source.list().files} == faces()
    del source
    assert not list((tmp_path / "scratch").iterdir())


def test_shards_below_a_prefix_are_one_table(store: s3fs.S3FileSystem, tmp_path: Path) -> None:
    for split in ("train", "test"):
        path = as_parquet(parquet_rows(faces(), split), tmp_path / "0000.parquet")
        store.put(str(path), f"faces/hub/default/{split}/0000.parquet")

    source = open_data("s3://faces/hub")

    assert {file_id: source.read(file_id) for file_id in source.list().files} == faces()


def test_the_digest_is_known_without_reading_the_file(
    store: s3fs.S3FileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = as_zip(faces(), tmp_path / "a.zip")
    store.put(str(path), "faces/a.zip")
    assert folder_digest("s3://faces/a.zip") == folder_digest(str(path))

    def sha256(file: StoredFile) -> str:
        raise AssertionError(f"read {file.uri}")

    monkeypatch.setattr(StoredFile, "sha256", sha256)
    before = quick_digest("s3://faces/a.zip")
    store.put(str(as_zip(faces("x/"), path)), "faces/a.zip")
    s3fs.S3FileSystem.clear_instance_cache()  # with what it knows of the object
    assert quick_digest("s3://faces/a.zip") != before


def test_what_is_not_there_or_not_read_is_named(store: s3fs.S3FileSystem) -> None:
    store.pipe("faces/faces.h5", b"\x89HDF\r\n\x1a\n" + bytes(99))

    with pytest.raises(SourceError, match=r"nothing found at s3://faces/gone\.zip"):
        open_data("s3://faces/gone.zip").list()
    with pytest.raises(SourceError, match=r"faces\.h5 looks like HDF5: read it with h5py"):
        open_data("s3://faces/faces.h5").list()
