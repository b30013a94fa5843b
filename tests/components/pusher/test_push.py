"""Pushing to a folder and to an object store (fsspec's own in memory), whole or not at all."""

import os
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from pushed_models import write_graph_and_weights

from components.formats.pushed_models import Origin, list_versions
from components.pusher.push import push

_ORIGIN = Origin("recipe", "data", "folder")
_DOCUMENTS = {"label_map.json": {"labels": ["cat", "dog"]}}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_graph_and_weights(tmp_path / "model")


def test_a_pushed_model_is_found_with_its_labels_and_origin(model: Path, tmp_path: Path) -> None:
    destination = str(tmp_path / "serving")

    push(model, destination, 7, _ORIGIN, _DOCUMENTS, {})
    push(model, destination, 30, _ORIGIN, _DOCUMENTS, {})

    newest, older = list_versions(destination)
    assert (newest.number, older.number) == (30, 7)
    assert newest.labels == ("cat", "dog")
    assert newest.origin == _ORIGIN


def test_a_push_that_fails_half_way_leaves_no_model_and_can_be_repeated(model: Path, tmp_path: Path) -> None:
    destination = str(tmp_path / "serving")

    with pytest.raises(FileNotFoundError):
        push(model, destination, 7, _ORIGIN, _DOCUMENTS, {"model_card.md": tmp_path / "not there"})

    assert list_versions(destination) == []
    push(model, destination, 7, _ORIGIN, _DOCUMENTS, {})
    assert [version.number for version in list_versions(destination)] == [7]
    assert [path.name for path in Path(destination).iterdir()] == ["7"]


def pushed_between(monkeypatch: pytest.MonkeyPatch, before: Callable[[], None]) -> None:
    """Let something happen when a push has its files together and is about to give them their number."""
    rename = Path.rename

    def late(path: Path, target: Path) -> Path:
        if path.name == "model":
            monkeypatch.setattr(Path, "rename", rename)
            before()
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", late)


def test_a_number_that_is_taken_meanwhile_is_left_to_its_model(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    destination = str(tmp_path / "serving")
    other = Origin("other", "data")
    pushed_between(monkeypatch, lambda: push(model, destination, 7, other, {}, {}) and None)

    assert push(model, destination, 7, _ORIGIN, _DOCUMENTS, {}) == (f"{destination}/8", 8)

    newest, older = list_versions(destination)
    assert (newest.number, newest.origin, newest.labels) == (8, _ORIGIN, ("cat", "dog"))
    assert (older.number, older.origin, older.labels) == (7, other, ())
    assert sorted(path.name for path in Path(destination).iterdir()) == ["7", "8"]


def test_what_a_killed_push_left_goes_with_the_next_one_but_not_what_is_being_filled(
    model: Path, tmp_path: Path
) -> None:
    destination = tmp_path / "serving"
    killed, filled = destination / ".push-killed", destination / ".push-filled"
    for folder in (killed, filled):
        shutil.copytree(model, folder / "model")
    os.utime(killed, (1e9, 1e9))

    push(model, str(destination), 7, _ORIGIN, _DOCUMENTS, {})

    assert sorted(path.name for path in destination.iterdir()) == [".push-filled", "7"]


def test_a_folder_without_a_marker_is_an_earlier_revisions_model_if_it_has_a_graph(model: Path, tmp_path: Path) -> None:
    destination = tmp_path / "serving"
    push(model, str(destination), 7, _ORIGIN, _DOCUMENTS, {})
    assets = destination / "7" / "assets.extra"
    (assets / "complete.json").unlink()

    assert [version.origin for version in list_versions(str(destination))] == [_ORIGIN]
    (destination / "7" / "saved_model.pb").unlink()
    assert list_versions(str(destination)) == []


def test_a_model_that_was_copied_in_part_is_no_version(model: Path, tmp_path: Path) -> None:
    destination = tmp_path / "serving"
    push(model, str(destination), 7, _ORIGIN, _DOCUMENTS, {})
    (destination / "7" / "assets.extra" / "label_map.json").unlink()  # no part of what is served
    assert [version.number for version in list_versions(str(destination))] == [7]

    weights = destination / "7" / "variables" / "variables.index"
    weights.write_bytes(weights.read_bytes()[:-1])

    assert list_versions(str(destination)) == []


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("components.tools.retries.time.sleep", lambda seconds: None)
    yield "memory://bucket"
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


def test_an_upload_that_breaks_off_leaves_no_model(model: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers know a complete model by `saved_model.pb`, so whatever else is missing, that is too."""
    upload = MemoryFileSystem.put_file
    sent: list[str] = []

    def broken(store: MemoryFileSystem, local: str, remote: str) -> None:
        if len(sent) == 3:
            raise ConnectionResetError("connection reset by peer")
        sent.append(remote)
        upload(store, local, remote)

    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "put_file", broken)
        with pytest.raises(OSError, match="connection reset by peer"):
            push(model, bucket, 7, _ORIGIN, _DOCUMENTS, {})

    assert sent
    assert list_versions(bucket) == []
    assert MemoryFileSystem().find(bucket) == []
    push(model, bucket, 7, _ORIGIN, _DOCUMENTS, {})
    assert [version.number for version in list_versions(bucket)] == [7]


def test_a_lost_connection_is_tried_again(model: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upload, look = MemoryFileSystem.put_file, MemoryFileSystem.ls
    calls = Counter[str]()

    def shaky(store: MemoryFileSystem, local: str, remote: str) -> None:
        calls["put"] += 1
        if calls["put"] % 2:
            raise ConnectionResetError
        upload(store, local, remote)

    def shaky_look(store: MemoryFileSystem, path: str, detail: bool) -> object:
        calls["ls"] += 1
        if calls["ls"] % 2:
            raise ConnectionResetError
        return look(store, path, detail)

    monkeypatch.setattr(MemoryFileSystem, "put_file", shaky)
    push(model, bucket, 7, _ORIGIN, _DOCUMENTS, {})
    monkeypatch.setattr(MemoryFileSystem, "ls", shaky_look)

    assert [version.number for version in list_versions(bucket)] == [7]
    assert calls["put"] >= 8
    assert calls["ls"] >= 6


def test_of_two_that_want_a_number_in_an_object_store_neither_writes_where_the_other_does(
    model: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, upload = MemoryFileSystem.pipe_file, MemoryFileSystem.put_file
    both = threading.Barrier(2)
    begun: set[int] = set()
    pushed: dict[str, tuple[str, int]] = {}

    def claim_together(store: MemoryFileSystem, path: str, value: bytes) -> None:
        claim(store, path, value)
        if "/7/" in path:
            both.wait(timeout=60)

    def begin_together(store: MemoryFileSystem, local: str, remote: str) -> None:
        if threading.get_ident() not in begun:
            begun.add(threading.get_ident())
            both.wait(timeout=60)
        upload(store, local, remote)

    def push_as(name: str) -> None:
        pushed[name] = push(model, bucket, 7, Origin(name, "data"), {}, {})

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", claim_together)
    monkeypatch.setattr(MemoryFileSystem, "put_file", begin_together)
    threads = [threading.Thread(target=push_as, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    versions = list_versions(bucket)
    assert {version.origin.recipe: (version.uri, version.number) for version in versions if version.origin} == pushed
    assert len(pushed) == len(versions) == 2


def test_a_number_that_somebody_claims_is_left_to_them(model: Path, bucket: str) -> None:
    store = MemoryFileSystem()
    store.pipe_file("/bucket/.claims/7/somebody", b"claim")
    store.pipe_file("/bucket/8/variables/variables.index", b"begun")

    _, number = push(model, bucket, 7, _ORIGIN, _DOCUMENTS, {})

    assert number > 8
    assert [version.number for version in list_versions(bucket)] == [number]
    assert store.find("/bucket/.claims") == ["/bucket/.claims/7/somebody"]


def test_the_marker_comes_last_and_the_graph_before_it(
    model: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = MemoryFileSystem.put_file
    sent: list[str] = []

    def noted(store: MemoryFileSystem, local: str, remote: str) -> None:
        sent.append(remote)
        upload(store, local, remote)

    monkeypatch.setattr(MemoryFileSystem, "put_file", noted)
    push(model, bucket, 7, _ORIGIN, _DOCUMENTS, {})

    assert sent[-2:] == ["/bucket/7/saved_model.pb", "/bucket/7/assets.extra/complete.json"]
