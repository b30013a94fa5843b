"""Which model `--model` means."""

from pathlib import Path

import click
import pytest

from components.formats.pushed_models import Origin
from components.pusher.push import push
from pipeline.cli.model_version import find_version


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Versions 9 and 10, whole."""
    model = tmp_path / "model"
    (model / "variables").mkdir(parents=True)
    (model / "saved_model.pb").write_bytes(b"graph")
    (model / "variables" / "variables.index").write_bytes(b"weights")
    for version in (9, 10):
        push(model, str(tmp_path / "pushed"), version, Origin("recipe", "data"), {"label_map.json": {}}, {})
    return tmp_path / "pushed"


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
