"""Pushing to a folder and to an object store (fsspec's own in memory), whole or not at all."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from components.formats.pushed_models import Origin, list_versions
from components.pusher.push import push

_ORIGIN = Origin("recipe", "data", "folder")
_DOCUMENTS = {"label_map.json": {"labels": ["cat", "dog"]}}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(b"weights")
    return folder


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


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("components.tools.retries.time.sleep", lambda seconds: None)
    yield "memory://bucket"
    MemoryFileSystem.store.clear()


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
    push(model, bucket, 7, _ORIGIN, _DOCUMENTS, {})
    assert [version.number for version in list_versions(bucket)] == [7]


def test_a_lost_connection_is_tried_again(model: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upload, look = MemoryFileSystem.put_file, MemoryFileSystem.info
    calls = Counter[str]()

    def shaky(store: MemoryFileSystem, local: str, remote: str) -> None:
        calls["put"] += 1
        if calls["put"] % 2:
            raise ConnectionResetError
        upload(store, local, remote)

    def shaky_look(store: MemoryFileSystem, path: str) -> object:
        calls["info"] += 1
        if calls["info"] % 2:
            raise ConnectionResetError
        return look(store, path)

    monkeypatch.setattr(MemoryFileSystem, "put_file", shaky)
    push(model, bucket, 7, _ORIGIN, _DOCUMENTS, {})
    monkeypatch.setattr(MemoryFileSystem, "info", shaky_look)

    assert [version.number for version in list_versions(bucket)] == [7]
    assert calls["put"] >= 8
    assert calls["info"] >= 2
