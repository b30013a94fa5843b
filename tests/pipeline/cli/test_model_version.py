"""Which model `--model` means."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from fsspec.implementations.memory import MemoryFileSystem
from pushed_models import write_graph_and_weights

from components.formats.pushed_models import Origin
from components.pusher.push import push
from pipeline.cli import main
from pipeline.cli.model_version import find_version


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_graph_and_weights(tmp_path / "model")


def push_two(model: Path, destination: str) -> None:
    for version in (9, 10):
        push(model, destination, version, Origin("recipe", "data"), {"label_map.json": {}}, {})


@pytest.fixture
def place(model: Path, tmp_path: Path) -> Path:
    """Versions 9 and 10, whole."""
    push_two(model, str(tmp_path / "pushed"))
    return tmp_path / "pushed"


@pytest.fixture
def bucket(model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The same in an object store, and a Model artifact."""
    monkeypatch.setattr("components.tools.retries.time.sleep", lambda seconds: None)
    push_two(model, "memory://bucket/pushed")
    MemoryFileSystem().put(f"{model}/", "/bucket/artifact/Format-Serving/", recursive=True)
    yield "memory://bucket"
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


def weights(version: Path) -> Path:
    return version / "variables" / "variables.index"


def test_the_newest_version_answers_or_the_one_that_is_named(place: Path) -> None:
    assert find_version(str(place)) == str(place / "10")
    assert find_version(str(place / "9")) == str(place / "9")


def test_a_newer_version_that_is_not_whole_is_passed_over_and_named(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights(place / "10").write_bytes(b"wei")

    assert find_version(str(place)) == str(place / "9")
    assert capsys.readouterr().err == f"Version 9 answers: 10 of {place} isn't whole.\n"


def test_what_is_passed_over_is_named_without_acting_on_the_terminal(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    red = place.rename(place.with_name("red \x1b[31m"))
    for version in ("11", "12"):
        (red / version).mkdir()

    assert find_version(str(red)) == str(red / "10")
    assert capsys.readouterr().err == f"Version 10 answers: 12, 11 of {red.parent}/red \\x1b[31m aren't whole.\n"


def test_a_file_whose_name_is_a_number_is_no_version(place: Path) -> None:
    (place / "11").write_bytes(b"notes")

    assert find_version(str(place)) == str(place / "10")
    with pytest.raises(click.UsageError, match="must be the folder of a SavedModel, or of its versions"):
        find_version(str(place / "11"))


def test_two_colons_in_a_path_are_no_chain_of_stores(place: Path) -> None:
    odd = place.rename(place.with_name("a::b"))

    assert find_version(str(odd)) == str(odd / "10")
    assert find_version(str(odd / "9")) == str(odd / "9")


def test_what_is_in_an_object_store_is_found_likewise(bucket: str) -> None:
    assert find_version(f"{bucket}/pushed") == f"{bucket}/pushed/10"
    assert find_version(f"{bucket}/pushed/9") == f"{bucket}/pushed/9"
    assert find_version(f"{bucket}/artifact") == f"{bucket}/artifact/Format-Serving"
    with pytest.raises(click.UsageError, match="must be the folder of a SavedModel, or of its versions"):
        find_version(f"{bucket}/none")


def test_a_store_that_cannot_be_reached_is_said_in_a_line(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(store: MemoryFileSystem, path: str) -> bool:
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr(MemoryFileSystem, "exists", refuse)

    with pytest.raises(click.UsageError, match=r"--model: memory://bucket/pushed can't be read: nobody listens"):
        find_version(f"{bucket}/pushed")
    with pytest.raises(click.UsageError, match=r"--model none://bucket: none:// has no driver that works here"):
        find_version("none://bucket")


@pytest.mark.parametrize("command", ["predict", "drift"])
def test_what_loads_the_model_itself_takes_none_in_an_object_store(bucket: str, place: Path, command: str) -> None:
    result = CliRunner().invoke(main, [command, "--model", f"{bucket}/pushed", str(place)])

    assert result.exit_code == 2
    assert result.output.splitlines()[-1] == (
        "Error: --model must be a folder on this machine: copy the model here; `predict --output` alone takes one in "
        f"an object store. Received: {bucket}/pushed"
    )


def test_what_is_not_whole_is_refused_where_nothing_else_is_there(place: Path) -> None:
    for version in ("9", "10"):
        weights(place / version).unlink()

    with pytest.raises(click.UsageError, match=rf"no version is whole in {place}\. Received: 10, 9: copy it again"):
        find_version(str(place))
    with pytest.raises(click.UsageError, match=rf"files are missing or cut off in {place}/10: copy it again"):
        find_version(str(place / "10"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none", "there is no such folder"),
        ("model/variables", "must be the folder of a SavedModel, or of its versions"),
    ],
)
def test_where_no_model_is_there_is_a_line(place: Path, name: str, message: str) -> None:
    with pytest.raises(click.UsageError, match=rf"--model:? {message}\. Received: {place.parent / name}"):
        find_version(str(place.parent / name))


def test_the_folder_of_a_model_artifact_will_do(place: Path, tmp_path: Path) -> None:
    (tmp_path / "artifact").mkdir()
    (place / "9").rename(tmp_path / "artifact" / "Format-Serving")

    assert find_version(str(tmp_path / "artifact")) == str(tmp_path / "artifact" / "Format-Serving")
