"""The state of a training in a folder, and in a real S3 server on this machine's loopback."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from object_store import KEYS, s3_server

from components.formats.pushed_models import file_system
from components.training import kept_state
from components.training.kept_state import KeptState, keep_state, open_state


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": server}.items():
        monkeypatch.setenv(name, value)
    store, _ = file_system("s3://states")
    store.mkdirs("states", exist_ok=True)
    return "s3://states"


def stored(uri: str) -> dict[str, bytes]:
    """What an independent client finds there."""
    import boto3

    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    client = boto3.client("s3")
    found = client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {one["Key"]: client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in found}


def write(state: KeptState, name: str, content: bytes) -> Path:
    file = state.folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def test_what_one_process_kept_another_finds(bucket: str) -> None:
    first = open_state(f"{bucket}/root", "x")
    first.keep(write(first, "training.npz", b"epoch 1"))
    first.keep(write(first, "trial-0/result-1.json", b"{}"), at_once=True)
    first.close()

    with keep_state(f"{bucket}/root/", "x") as second:
        assert second is not None
        assert (second.folder / "training.npz").read_bytes() == b"epoch 1"
        assert (second.folder / "trial-0" / "result-1.json").read_bytes() == b"{}"
        second.remove()

    assert stored(f"{bucket}/root") == {}
    assert not first.folder.exists()
    assert not second.folder.exists()


def test_no_other_training_takes_it_up(bucket: str) -> None:
    first = open_state(f"{bucket}/others", "x")
    first.keep(write(first, "training.npz", b"of x"))
    first.close()

    with keep_state(f"{bucket}/others", "xy") as other:
        assert other is not None
        assert not list(other.folder.iterdir())
        other.remove()

    assert list(stored(f"{bucket}/others/x")) == ["others/x/training.npz"]


def test_within_the_pause_only_the_newest_content_is_copied_at_the_end(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_state, "PAUSE", 1e9)  # a machine that is halted for a minute ends a shorter one
    state = open_state(f"{bucket}/often", "x")
    state.keep(write(state, "training.npz", b"epoch 1"))
    for _ in range(200):
        if stored(f"{bucket}/often"):
            break
        time.sleep(0.05)

    for epoch in (2, 3):
        state.keep(write(state, "training.npz", f"epoch {epoch}".encode()))
    time.sleep(0.2)
    assert stored(f"{bucket}/often") == {"often/x/training.npz": b"epoch 1"}

    state.close()
    assert stored(f"{bucket}/often") == {"often/x/training.npz": b"epoch 3"}


def test_an_exception_is_no_reason_to_lose_what_is_due(bucket: str) -> None:
    def killed() -> None:
        with keep_state(f"{bucket}/killed", "x") as state:
            assert state is not None
            state.keep(write(state, "training.npz", b"epoch 1"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()

    assert stored(f"{bucket}/killed") == {"killed/x/training.npz": b"epoch 1"}


def test_minio_is_s3_at_the_address_of_the_environment(bucket: str) -> None:
    state = open_state("minio://states/root", "m")
    state.keep(write(state, "training.npz", b"epoch 1"))
    state.close()
    assert list(stored(f"{bucket}/root/m")) == ["root/m/training.npz"]


@pytest.mark.parametrize(
    ("place", "reason"),
    [("minio://states/root", "AWS_ENDPOINT_URL doesn't say where that is"), ("s3://nowhere/root", "bucket")],
)
def test_a_store_out_of_reach_is_one_line_and_no_end(
    place: str, reason: str, bucket: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if place.startswith("minio"):
        monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)

    with keep_state(place, "x") as state:
        assert state is not None
        state.keep(write(state, "training.npz", b"epoch 1"))

    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith(f"Warning: the state of the training can't be kept at {place}/x: ")
    assert reason in line


def test_after_a_while_out_of_reach_the_newest_is_copied(
    bucket: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kept_state, "PAUSE", 0.0)
    monkeypatch.setattr(kept_state, "with_retries", lambda call: call())
    state = open_state(f"{bucket}/away", "x")

    def away(uri: str) -> Any:
        raise OSError(f"connection to {uri} reset")

    monkeypatch.setattr(kept_state, "file_system", away)
    for epoch in (1, 2):
        state.keep(write(state, "training.npz", f"epoch {epoch}".encode()))
        state._wait()
    monkeypatch.setattr(kept_state, "file_system", file_system)
    state.close()

    assert stored(f"{bucket}/away") == {"away/x/training.npz": b"epoch 2"}
    assert capsys.readouterr().out.count("Warning") == 1


def test_a_folder_is_kept_as_it_is(tmp_path: Path) -> None:
    with keep_state(str(tmp_path), "x") as state:
        assert state is not None
        state.keep(write(state, "training.npz", b"epoch 1"))
    assert (tmp_path / "x" / "training.npz").read_bytes() == b"epoch 1"

    with keep_state(str(tmp_path), "x") as state:
        assert state is not None
        state.remove()
    assert not (tmp_path / "x").exists()


def test_nothing_is_kept_nowhere() -> None:
    with keep_state("", "x") as state:
        assert state is None
