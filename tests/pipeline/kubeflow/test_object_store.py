"""Data and models in an object store: a real S3 server on loopback, read and written as the pods do."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import s3fs
from object_store import KEYS, dropping, s3_server

from components.evaluator.baseline import choose
from components.formats.pushed_models import RUN, Origin, candidates, list_versions
from components.images.source import SourceError, open_source
from components.ingest.ingest import ingest
from components.ingest.options import DataOptions
from components.pusher.push import push
from pipeline.lineage.files import FILES, record_of
from pipeline.lineage.store import Artifact
from pipeline.lineage.verify import verify_rows
from pipeline.sample.dataset import write_sample_data

IMAGES = 48


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with s3_server() as found:
        yield found


@pytest.fixture
def store(port: int, monkeypatch: pytest.MonkeyPatch) -> s3fs.S3FileSystem:
    """The store as a pod's environment gives it."""
    return _environment(port, monkeypatch)


def _environment(port: int, monkeypatch: pytest.MonkeyPatch) -> s3fs.S3FileSystem:
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    return s3fs.S3FileSystem()


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces")
    write_sample_data(folder, IMAGES)
    return folder


@pytest.fixture
def bucket(store: s3fs.S3FileSystem, faces: Path) -> str:
    if not store.exists("faces/train"):
        store.mkdir("faces")
        store.put(f"{faces}/", "faces/", recursive=True)
    return "s3://faces"


def test_a_bucket_gives_the_images_of_the_folder(bucket: str, faces: Path, tmp_path: Path) -> None:
    (tmp_path / "remote").mkdir()
    (tmp_path / "local").mkdir()

    remote = ingest(bucket, tmp_path / "remote", DataOptions())

    assert remote["images"] == IMAGES
    assert remote["data_digest"] == ingest(str(faces), tmp_path / "local", DataOptions())["data_digest"]


@pytest.mark.parametrize("uri", ["s3://nothing", "s3://faces/nothing"])
def test_a_missing_bucket_or_folder_is_named(bucket: str, uri: str) -> None:
    with pytest.raises(SourceError, match=f"nothing found at {uri}: no such bucket or folder"):
        open_source(uri).list()


def test_no_credentials_are_a_clear_error(port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _environment(port, monkeypatch)
    for name in KEYS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setattr("components.tools.retries.time.sleep", lambda seconds: None)

    with pytest.raises(SourceError, match="can't list s3://faces: .*Check the address and the credentials"):
        open_source("s3://faces").list()


def test_a_bad_key_is_a_clear_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with s3_server(INITIAL_NO_AUTH_ACTION_COUNT="0") as strict:  # moto checks keys only when told to
        _environment(strict, monkeypatch)
        pauses: list[float] = []
        monkeypatch.setattr("components.tools.retries.time.sleep", pauses.append)

        with pytest.raises(SourceError, match="can't list s3://faces: .*does not exist in our records"):
            open_source("s3://faces").list()

    assert pauses == []  # a clear refusal isn't tried again


def test_dropped_connections_are_tried_again(
    bucket: str, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dropping(port, every=3) as proxy:
        _environment(proxy, monkeypatch)
        summary = ingest(bucket, tmp_path, DataOptions())

    assert summary["images"] == IMAGES
    assert summary["quarantined"] == 0


def _model(folder: Path) -> Path:
    for name in ("saved_model.pb", "variables/variables.index", "assets.extra/label_map.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text('{"labels": ["a", "b"]}')
    return folder


def test_a_model_pushed_to_a_bucket_is_found_there(store: s3fs.S3FileSystem, tmp_path: Path) -> None:
    store.mkdir("models")
    origin = Origin("recipe", "data")

    target, number = push(_model(tmp_path / "model"), "s3://models/affect", 7, origin, {"metrics.json": {}}, {})

    assert (target, number) == ("s3://models/affect/7", 7)
    [version] = list_versions("s3://models/affect")
    assert (version.number, version.labels, version.origin) == (7, ("a", "b"), origin)
    # The next run's baseline, unless it is the same model.
    assert choose(candidates([version], Origin("other", "data")), ["a", "b"]) == version
    assert candidates([version], origin) == []
    fetched = tmp_path / "baseline"
    store.get("models/affect/7", str(fetched), recursive=True)
    assert RUN.read(fetched / "assets.extra") == origin.as_dict()


def test_a_push_survives_dropped_connections(
    store: s3fs.S3FileSystem, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.mkdir("shaky")
    with dropping(port, every=2) as proxy:
        _environment(proxy, monkeypatch)
        push(_model(tmp_path / "model"), "s3://shaky/affect", 7, Origin("recipe", "data"), {}, {})
        [version] = list_versions("s3://shaky/affect")

    assert (version.number, version.labels) == (7, ("a", "b"))
    assert len(store.find("shaky/affect/7")) == 5


def test_an_incomplete_model_in_a_bucket_is_no_version(store: s3fs.S3FileSystem) -> None:
    store.mkdir("broken")
    store.pipe("broken/affect/8/variables/variables.index", b"x")

    assert list_versions("s3://broken/affect") == []


def test_a_destination_without_models_has_no_versions(store: s3fs.S3FileSystem) -> None:
    assert list_versions("s3://not-there/affect") == []


def test_files_in_a_store_are_held_against_what_was_recorded(store: s3fs.S3FileSystem, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "data").write_bytes(bytes(2 << 20))
    store.mkdir("root")
    store.put(f"{folder}/", "root/model/", recursive=True)
    s3 = Artifact(1, "Model", "s3://root/model", "LIVE", 0, {FILES: record_of(str(folder))})
    minio, old = replace(s3, uri="minio://root/model"), replace(s3, properties={})

    assert [row["state"] for row in verify_rows([s3, minio, old])] == ["whole", "whole", "unknown"]

    store.pipe_file("root/model/variables/data", bytes((2 << 20) - 1) + b"x")
    [row] = verify_rows([s3])
    assert (row["state"], row["what"]) == ("damaged", "s3://root/model/variables/data was changed")

    store.rm_file("root/model/variables/data")
    [row] = verify_rows([minio])
    assert (row["state"], row["what"]) == ("damaged", "minio://root/model/variables/data is missing")


def test_a_store_that_cannot_be_reached_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)

    [row] = verify_rows([Artifact(1, "Model", "minio://root/model", "LIVE", 0, {FILES: '{"a": "00"}'})])

    assert row["state"] == "unknown"
    assert row["what"].startswith("set AWS_ENDPOINT_URL and its keys")
