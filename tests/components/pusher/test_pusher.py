"""The Pusher as TFX calls it: under which number a blessed model is pushed."""

from pathlib import Path
from typing import Any

import pytest
from tfx.types.standard_artifacts import Model, ModelBlessing, PushedModel

from components.formats.artifacts import Analysis
from components.formats.documents import ANALYSIS, CARD, CARD_MARKDOWN
from components.formats.drift_reference import NAME
from components.formats.pushed_models import list_versions
from components.pusher.executor import Executor


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Any]:
    model, blessing, analysis, reference = Model(), ModelBlessing(), Analysis(), Analysis()
    made = {"model": model, "blessing": blessing, "analysis": analysis, "reference": reference}
    for name, artifact in made.items():
        artifact.uri = str(tmp_path / name)
        (tmp_path / name).mkdir()
    (tmp_path / "model" / "Format-Serving").mkdir()
    (tmp_path / "model" / "Format-Serving" / "saved_model.pb").write_text("graph")
    blessing.set_int_custom_property("blessed", 1)
    metrics: dict[str, Any] = {"metrics": {}}
    ANALYSIS.write({"data": {"data_digest": "images"}, "test": metrics, "eval": metrics}, analysis.uri)
    CARD.write({}, analysis.uri)
    (tmp_path / "analysis" / CARD_MARKDOWN).write_text("card")
    (tmp_path / "reference" / NAME).write_text("reference")
    return {"model": [model], "model_blessing": [blessing], "analysis": [analysis], "reference": [reference]}


def pushed(inputs: dict[str, Any], folder: Path, **properties: str) -> str:
    output = PushedModel()
    output.uri = str(folder / "pushed")
    origin = {"recipe": "recipe", "folder_digest": "folder", "destination": str(folder / "models")}
    Executor().Do(inputs, {"pushed_model": [output]}, {**origin, "lost": "", **properties})
    return str(output.get_string_custom_property("pushed_version"))


def test_a_model_is_pushed_under_the_version_that_was_meant_for_it(inputs: dict[str, Any], tmp_path: Path) -> None:
    assert pushed(inputs, tmp_path, version="1700000000") == "1700000000"
    assert [version.number for version in list_versions(str(tmp_path / "models"))] == [1700000000]
    assert (tmp_path / "models" / "1700000000" / "assets.extra" / NAME).read_text() == "reference"


def test_a_model_is_newer_than_one_that_was_pushed_meanwhile(inputs: dict[str, Any], tmp_path: Path) -> None:
    pushed(inputs, tmp_path, recipe="another", version="1700000005")

    assert pushed(inputs, tmp_path, version="1700000000") == "1700000006"


def test_what_stands_isnt_pushed_again(inputs: dict[str, Any], tmp_path: Path) -> None:
    pushed(inputs, tmp_path, version="1700000000")

    assert pushed(inputs, tmp_path, version="1800000000") == "1700000000"
