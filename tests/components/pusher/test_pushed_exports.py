"""The Pusher with files of other formats: those that agree lie beside the model, others don't."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from components.formats.documents import ANALYSIS, CARD, CARD_MARKDOWN
from components.formats.drift_reference import NAME
from components.formats.exports import EXPORTS
from components.formats.pushed_models import list_versions
from components.plain_executor import PlainArtifact
from components.pusher.executor import Executor
from components.pusher.options import PushOptions


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Any]:
    """A blessed model, without exports."""
    found = {name: PlainArtifact(str(tmp_path / name)) for name in ("model", "model_blessing", "analysis", "reference")}
    for artifact in found.values():
        Path(artifact.uri).mkdir()
    (tmp_path / "model" / "Format-Serving").mkdir()
    (tmp_path / "model" / "Format-Serving" / "saved_model.pb").write_text("graph")
    found["model_blessing"].set_int_custom_property("blessed", 1)
    metrics: dict[str, Any] = {"metrics": {}}
    ANALYSIS.write({"data": {"data_digest": "images"}, "test": metrics, "eval": metrics}, found["analysis"].uri)
    CARD.write({}, found["analysis"].uri)
    (tmp_path / "analysis" / CARD_MARKDOWN).write_text("card")
    (tmp_path / "reference" / NAME).write_text("reference")
    return {name: [artifact] for name, artifact in found.items()}


def exports(folder: Path, **agrees: bool) -> dict[str, list[PlainArtifact]]:
    folder.mkdir()
    rows = [{"file": f"model.{name}", "agrees": does} for name, does in agrees.items()]
    EXPORTS.write({"files": rows}, folder)
    for row in rows:
        (folder / str(row["file"])).write_text(str(row["file"]))
    return {"exports": [PlainArtifact(str(folder))]}


def pushed(inputs: dict[str, Any], folder: Path, version: int) -> Path:
    output = PlainArtifact(str(folder / "pushed"))
    properties = {"recipe": "recipe", "folder_digest": "folder", "destination": str(folder / "models"), "lost": ""}
    Executor().Do(inputs, {"pushed_model": [output]}, {**properties, "version": str(version)})
    return Path(output.get_string_custom_property("pushed_destination"))


def names(model: Path) -> set[str]:
    return {path.name for path in (model / "assets.extra").iterdir()}


def test_files_that_agree_lie_beside_the_model_and_others_dont(inputs: dict[str, Any], tmp_path: Path) -> None:
    model = pushed(inputs | exports(tmp_path / "exports", onnx=True, tflite=False), tmp_path, 1)

    assert {"model.onnx", "exports.json"} <= names(model)
    assert "model.tflite" not in names(model)
    assert (model / "assets.extra" / "model.onnx").read_text() == "model.onnx"


def test_a_model_that_stands_without_a_format_is_pushed_with_it(inputs: dict[str, Any], tmp_path: Path) -> None:
    without = pushed(inputs, tmp_path, 1)
    with_onnx = pushed(inputs | exports(tmp_path / "first", onnx=True), tmp_path, 2)
    again = pushed(inputs | exports(tmp_path / "second", onnx=True, tflite=False), tmp_path, 3)
    none = pushed(inputs | exports(tmp_path / "third", tflite=False), tmp_path, 4)
    fewer = pushed(inputs, tmp_path, 5)

    assert (without.name, with_onnx.name, again.name) == ("1", "2", "2")
    assert (none.name, fewer.name) == ("2", "2")
    assert [version.number for version in list_versions(str(tmp_path / "models"))] == [2, 1]


@pytest.mark.parametrize("formats", [[], ["onnx"], ["saved_model", "onnx", "onnx"], ["saved_model", "coreml"]])
def test_formats_without_a_saved_model_twice_or_unknown_are_refused(formats: list[str]) -> None:
    with pytest.raises(ValidationError, match="formats"):
        PushOptions.model_validate({"formats": formats})
