"""The digest of a data folder that takes seconds: on this machine and in a real S3 server on loopback."""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import s3fs
from object_store import on_loopback, s3_server
from waiting import rewrite

from components.images.folder_digest import folder_digest, quick_digest
from components.images.places import as_uri
from components.images.source import LocalSource, RemoteSource

FILES = {f"train/{label}/{number}.jpg": f"{label} {number}" for label in ("anger", "fear") for number in range(4)}
NOTHING_IS_READ = 0

Change = Callable[[dict[str, str]], Any]


def _write(folder: Path) -> None:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _write(tmp_path / "faces")
    return tmp_path / "faces"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with s3_server() as found:
        yield found


@pytest.fixture
def store(port: int, monkeypatch: pytest.MonkeyPatch) -> s3fs.S3FileSystem:
    found = on_loopback(port, monkeypatch)
    if found.exists("faces"):
        found.rm("faces", recursive=True)
    found.mkdir("faces")
    for name, text in FILES.items():
        found.pipe(f"faces/{name}", text.encode())
    return found


def _add(path: Path) -> None:
    (path / "train/fear/9.jpg").write_text("9")


def _remove(path: Path) -> None:
    (path / "train/fear/1.jpg").unlink()


def _rename(path: Path) -> None:
    (path / "train/fear/1.jpg").rename(path / "train/fear/10.jpg")  # in the same place of the order


def _move(path: Path) -> None:
    (path / "train/fear/1.jpg").rename(path / "train/anger/fear-1.jpg")


def _swap_contents(path: Path) -> None:
    """Same sizes, same time of modification."""
    for name, text in (("0", "fear 1"), ("1", "fear 0")):
        rewrite(path / f"train/fear/{name}.jpg", text.encode())


def _add_an_empty_class(path: Path) -> None:
    (path / "train/joy").mkdir()


@pytest.mark.parametrize("change", [_add, _remove, _rename, _move, _swap_contents, _add_an_empty_class])
@pytest.mark.parametrize("read_up_to", [1 << 30, NOTHING_IS_READ])
def test_a_change_of_a_mounted_folder_is_seen_with_and_without_reading_it(
    change: Callable[[Path], None], read_up_to: int, folder: Path
) -> None:
    before = quick_digest(str(folder), read_up_to)
    assert quick_digest(str(folder), read_up_to) == before

    change(folder)

    assert quick_digest(str(folder), read_up_to) != before


def test_a_small_folder_is_known_by_its_contents_alone_as_in_a_local_run(folder: Path, tmp_path: Path) -> None:
    before = quick_digest(str(folder))
    os.utime(folder / "train/fear/1.jpg", (1, 1))
    _write(tmp_path / "copy")

    assert quick_digest(str(folder)) == quick_digest(str(tmp_path / "copy")) == folder_digest(str(folder)) == before


@pytest.mark.parametrize("read_up_to", [1 << 30, NOTHING_IS_READ])
def test_of_several_folders_one_without_images_changes_nothing_until_the_first(read_up_to: int, folder: Path) -> None:
    (folder.parent / "2026-12").mkdir()
    one = as_uri({"2026-11": str(folder)})
    two = as_uri({"2026-11": str(folder), "2026-12": str(folder.parent / "2026-12")})

    assert quick_digest(one, read_up_to) == quick_digest(two, read_up_to) != quick_digest(str(folder), read_up_to)

    (folder.parent / "2026-12" / "1.jpg").write_text("1")
    assert quick_digest(one, read_up_to) != quick_digest(two, read_up_to)


def test_a_large_folder_isnt_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pieces(source: LocalSource, file_id: str) -> bytes:
        raise AssertionError(f"read {file_id}")

    monkeypatch.setattr(LocalSource, "pieces", pieces)

    assert quick_digest(str(folder), NOTHING_IS_READ) == quick_digest(str(folder), NOTHING_IS_READ)


def test_the_order_of_a_listing_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = quick_digest(str(folder), NOTHING_IS_READ)
    names, order = os.listdir, random.Random(0)

    def shuffled(path: Any) -> list[Any]:
        found = names(path)
        order.shuffle(found)
        return found

    monkeypatch.setattr("components.images.source.os.listdir", shuffled)

    assert {quick_digest(str(folder), NOTHING_IS_READ) for _ in range(8)} == {before}


def _in_a_fresh_process(uri: str) -> str:
    s3fs.S3FileSystem.clear_instance_cache()  # with what it has listed
    return quick_digest(uri)


@pytest.mark.parametrize(
    "change",
    [
        lambda store: store.pipe("faces/train/fear/9.jpg", b"9"),
        lambda store: store.rm("faces/train/fear/1.jpg"),
        lambda store: store.mv("faces/train/fear/1.jpg", "faces/train/fear/10.jpg"),
        lambda store: store.pipe("faces/train/fear/1.jpg", b"fear 2"),  # as long as before
    ],
    ids=["added", "removed", "renamed", "changed"],
)
def test_a_change_of_a_bucket_is_seen(change: Callable[[Any], None], store: s3fs.S3FileSystem) -> None:
    before = _in_a_fresh_process("s3://faces")
    assert _in_a_fresh_process("s3://faces") == before

    change(store)

    assert _in_a_fresh_process("s3://faces") != before


def test_nothing_of_a_bucket_is_read(store: s3fs.S3FileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    def pieces(source: RemoteSource, file_id: str) -> bytes:
        raise AssertionError(f"read {file_id}")

    monkeypatch.setattr(RemoteSource, "pieces", pieces)

    assert _in_a_fresh_process("s3://faces/train")


def test_an_object_that_was_written_again_is_the_same(store: s3fs.S3FileSystem) -> None:
    before = _in_a_fresh_process("s3://faces")

    store.pipe("faces/train/fear/1.jpg", b"fear 1")

    assert _in_a_fresh_process("s3://faces") == before


@pytest.mark.parametrize("about", [{"size": 6}, {"size": 6, "LastModified": "2026-01-01"}])
def test_a_store_without_tags_is_read(
    about: dict[str, Any], store: s3fs.S3FileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = {f"faces/{name}": about for name in FILES}
    monkeypatch.setattr(s3fs.S3FileSystem, "find", lambda *arguments, **options: listed)
    before = quick_digest("s3://faces")

    store.pipe("faces/train/fear/1.jpg", b"fear 2")

    assert quick_digest("s3://faces") != before


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"generation": "1"}, {"generation": "2"}),  # Google
        ({"etag": "1", "last_modified": "1"}, {"etag": "2", "last_modified": "1"}),  # Azure
    ],
)
def test_tags_of_other_stores_are_taken(first: Any, second: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for about in (first, second):
        listed = {f"faces/{name}": {"size": 6, **about} for name in FILES}
        monkeypatch.setattr(s3fs.S3FileSystem, "find", lambda *arguments, listed=listed, **options: listed)
        found.append(quick_digest("s3://faces"))

    assert found[0] != found[1]


def test_long_files_are_digested_by_pieces_to_what_the_whole_of_them_gives(
    folder: Path, store: s3fs.S3FileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = random.Random(0).randbytes(1000)
    (folder / "train.zip").write_bytes(content)
    (folder / "empty").touch()
    store.pipe({"faces/train.zip": content, "faces/empty": b""})
    whole = folder_digest(str(folder))
    monkeypatch.setattr("components.images.pieces.PIECE", 64)

    assert folder_digest(str(folder)) == folder_digest("s3://faces") == whole


# The address space that threads and pieces take, but not that of the file.
_MEMORY = """
import resource, sys
from components.images.folder_digest import folder_digest
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (900 << 20),) * 2)
print(folder_digest(sys.argv[1]))
"""


def test_an_archive_beside_the_images_takes_no_memory(folder: Path) -> None:
    with (folder / "archive.zip").open("wb") as file:
        file.truncate(1 << 30)  # takes no space on the disk

    done = subprocess.run([sys.executable, "-c", _MEMORY, folder], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip()) == 64
