"""Files that hold images, read as if what is in them lay in a folder."""

import pickle
import resource
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_containers import (
    as_folder,
    as_parquet,
    as_tar,
    as_zip,
    contents,
    cut,
    faces,
    listing,
    parquet_rows,
)

from components.images.containers.open_data import ContainerSource, open_data
from components.images.folder_digest import folder_digest, quick_digest
from components.images.source import DamagedFile, SourceError

MIB = 1 << 20


@pytest.mark.parametrize("wrapper", ["", "my faces/"])
@pytest.mark.parametrize(
    "make",
    [
        lambda files, path: as_zip(files, path),
        lambda files, path: as_zip(files, path, zipfile.ZIP_STORED),
        lambda files, path: as_zip(files, path, zipfile.ZIP_BZIP2),
        lambda files, path: as_tar(files, path),
        lambda files, path: as_tar(files, path, "w:gz"),
        lambda files, path: as_tar(files, path, "w:bz2"),
        lambda files, path: as_tar(files, path, "w:xz"),
    ],
    ids=["zip", "zip-stored", "zip-bzip2", "tar", "tar.gz", "tar.bz2", "tar.xz"],
)
def test_an_archive_holds_what_the_folder_holds_whatever_it_is_called(
    make: Callable[[Any, Path], Path], wrapper: str, tmp_path: Path
) -> None:
    assert contents(make(faces(wrapper), tmp_path / "download")) == faces()


def test_the_listing_of_an_archive_is_the_folders(tmp_path: Path) -> None:
    folder = listing(as_folder(faces(), tmp_path / "faces"))

    for archive in (as_zip(faces("x/"), tmp_path / "a.zip"), as_tar(faces("x/"), tmp_path / "a.tgz", "w:gz")):
        found = listing(archive)
        assert (found.files, found.folders, found.unusable) == (folder.files, folder.folders, [])


def test_a_source_is_read_by_other_processes_and_many_threads(tmp_path: Path) -> None:
    for path in (as_zip(faces(), tmp_path / "a.zip"), as_tar(faces(), tmp_path / "a.tgz", "w:gz")):
        source = open_data(str(path))
        files = source.list().files
        copy = pickle.loads(pickle.dumps(source))
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(copy.read, files * 8)) == [faces()[file_id] for file_id in files * 8]


def test_a_pickled_source_is_as_small_as_its_name(tmp_path: Path) -> None:
    source = open_data(str(as_zip(faces(), tmp_path / "a.zip")))
    source.list()

    assert len(pickle.dumps(source)) < 1000


def test_what_was_unpacked_is_gone_with_the_source(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    source = open_data(str(as_tar(faces(), tmp_path / "a.tgz", "w:gz")), tmp_path / "scratch")
    source.list()
    assert list((tmp_path / "scratch").iterdir())

    del source

    assert not list((tmp_path / "scratch").iterdir())


def test_a_file_that_became_shorter_since_it_was_listed_is_damaged(tmp_path: Path) -> None:
    path = as_tar({"happy/a": b"1" * 5000, "sad/b": b"2" * 5000}, tmp_path / "a.tar")
    source = open_data(str(path))
    source.list()
    cut(path, 0.3)

    with pytest.raises(DamagedFile, match="shorter than the archive says"):
        source.read("sad/b")


def test_a_scratch_folder_that_is_too_small_is_named_and_left_empty(tmp_path: Path) -> None:
    path = as_tar(faces(), tmp_path / "a.tgz", "w:gz")
    (tmp_path / "scratch").mkdir()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    source = open_data(str(path), tmp_path / "scratch")

    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))  # as a full disk, for files that grow beyond it
    try:
        with pytest.raises(SourceError, match=rf"can't read a\.tgz: no room for it in {tmp_path}/scratch \(.*give the"):
            source.list()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    del source

    assert not list((tmp_path / "scratch").iterdir())


def test_a_large_file_is_read_in_pieces(tmp_path: Path) -> None:
    large = np.random.default_rng(0).integers(0, 255, 5 * MIB, dtype=np.uint8).tobytes() + bytes(5 * MIB)
    for path in (
        as_zip({"happy/a": large}, tmp_path / "a.zip"),
        as_zip({"happy/a": large}, tmp_path / "b.zip", zipfile.ZIP_BZIP2),
        as_tar({"happy/a": large}, tmp_path / "a.tar"),
    ):
        source = open_data(str(path))
        assert isinstance(source, ContainerSource)
        pieces = list(source.pieces("happy/a"))
        assert b"".join(pieces) == large
        assert max(map(len, pieces)) <= MIB


def test_the_digest_of_a_container_is_its_contents(tmp_path: Path) -> None:
    path = as_zip(faces(), tmp_path / "a.zip")
    before = folder_digest(str(path))
    assert before == quick_digest(str(path)) == folder_digest(f"file://{path}")
    assert quick_digest(str(path), read_up_to=0) == quick_digest(str(path), read_up_to=0) != before

    data = bytearray(path.read_bytes())
    data[-1 - len(data) // 2] ^= 1
    path.write_bytes(data)

    assert folder_digest(str(path)) != before


def test_a_folder_of_shards_has_a_digest(tmp_path: Path) -> None:
    as_parquet(parquet_rows(faces(), "train"), tmp_path / "train.parquet")
    before = folder_digest(str(tmp_path))
    as_parquet(parquet_rows(faces(), "test"), tmp_path / "train.parquet")

    assert folder_digest(str(tmp_path)) != before
