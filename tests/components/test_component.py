"""What the base class makes of a component's declaration."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types.channel import Channel

from components.component import CODE_VERSION, Component, Input, Output, Parameter
from components.formats.artifacts import Analysis, ImageDataset
from components.ingest.executor import Executor
from components.tools.section import FILE, Section


class Options(Section):
    number: int = 3
    path: str | None = Field(None, alias="file", json_schema_extra=FILE)


class Count(Component):
    """Counts."""

    EXECUTOR = Executor
    INPUTS = {"images": Input(ImageDataset, "what is counted"), "others": Input(ImageDataset, "", optional=True)}
    OUTPUTS = {"counts": Output(Analysis, "numbers")}
    PARAMETERS = {
        "options": Parameter(Options, "how"),
        "least": Parameter(int, "from where on"),
        "name": Parameter(str, "of the count", optional=True),
    }


class CountMore(Count):
    """Counts with code that the executor doesn't import."""

    EXECUTOR = Executor
    FURTHER_CODE = ("components.pusher.push",)


def given(**changes: Any) -> dict[str, Any]:
    return {"images": Channel(type=ImageDataset), "options": Options(), "least": 1} | changes


def code_version(**changes: Any) -> str:
    return str(Count(**given(**changes)).exec_properties[CODE_VERSION])


def test_options_become_json_under_the_names_of_the_file() -> None:
    component = Count(**given(options=Options(number=4)))

    assert json.loads(component.exec_properties["options"]) == {"number": 4, "file": None}
    assert component.exec_properties["least"] == 1
    assert component.exec_properties.get("name") is None


def test_inputs_outputs_and_the_name_follow_from_the_declaration() -> None:
    component = Count(**given())

    assert component.id == "Count"
    assert set(component.inputs) == {"images"}
    assert component.outputs["counts"].type is Analysis


def test_a_value_may_be_left_to_the_run() -> None:
    left = RuntimeParameter("least", int)

    assert Count(**given(least=left)).exec_properties["least"] is left


def test_what_is_unknown_is_named() -> None:
    with pytest.raises(TypeError, match="^Count takes no lest$"):
        Count(**given(lest=2))


def test_what_is_missing_is_named() -> None:
    with pytest.raises(TypeError, match="^Count needs least, options$"):
        Count(images=Channel(type=ImageDataset))


def test_inputs_outputs_and_parameters_share_one_set_of_names() -> None:
    with pytest.raises(TypeError, match="^Twice gives two things one name: counts$"):
        type("Twice", (Count,), {"PARAMETERS": {"counts": Parameter(int, "")}})


def test_the_code_version_follows_the_files_that_options_name(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yml"
    file.write_text("a")
    before = code_version(options=Options(file=str(file)))
    file.write_text("b")

    assert before.startswith(f"{code_version()}-")
    assert code_version(options=Options(file=str(file))) != before


def test_the_code_version_follows_code_that_is_not_imported() -> None:
    assert CountMore(**given()).exec_properties[CODE_VERSION] != code_version()
