"""The first task of the compiled pipeline, as its container runs it, with an ExecutorInput as the driver makes it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from compiled import TARGET, compiled

from components.formats.pushed_models import RUN, Origin
from components.images.folder_digest import folder_digest
from pipeline.config import load
from pipeline.context import recipe
from pipeline.kubeflow.targets import Target
from pipeline.sample.dataset import write_sample_data

HEAVY = ("tfx", "tensorflow", "apache_beam", "keras", "ml_metadata", "kfp")


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "faces"
    write_sample_data(folder, 16)
    return folder


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory, faces: Path) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        target = Target(TARGET.image, str(tmp_path_factory.mktemp("root")), str(faces))
        return compiled(patch, target=target)[1][0]


def run(spec: Any, folder: Path, **values: Any) -> tuple["subprocess.CompletedProcess[str]", dict[str, str]]:
    """What the container prints, with all that it imports, and the values that it hands on."""
    declared = spec["root"]["inputDefinitions"]["parameters"]
    chosen = {name: one["defaultValue"] for name, one in declared.items()} | values
    task = spec["root"]["dag"]["tasks"]["data-digest"]
    parameters = {
        key: chosen[source["componentInputParameter"]]
        if "componentInputParameter" in source
        else source["runtimeValue"]["constant"]
        for key, source in task["inputs"]["parameters"].items()
    }
    outputs = spec["components"]["comp-data-digest"]["outputDefinitions"]["parameters"]
    files = {name: folder / "outputs" / name for name in outputs}
    invocation = {
        # Numbers are floats behind a protobuf, and what is empty is left out: no artifacts.
        "inputs": {
            "parameterValues": {
                key: float(value) if isinstance(value, int) else value for key, value in parameters.items()
            }
        },
        "outputs": {
            "parameters": {name: {"outputFile": str(file)} for name, file in files.items()},
            "outputFile": str(folder / "task" / "output_metadata.json"),
        },
    }
    container = spec["deploymentSpec"]["executors"]["exec-data-digest"]["container"]
    words = [*container["command"][1:], *container["args"]]
    line = [json.dumps(invocation) if word == "{{$}}" else word for word in words]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *line],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    return done, {name: file.read_text() for name, file in files.items() if file.exists()}


def imported(printed: str) -> set[str]:
    lines = [line for line in printed.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def test_it_hands_its_digest_on_and_imports_no_tfx(spec: Any, faces: Path, tmp_path: Path) -> None:
    models = str(tmp_path / "models")

    done, values = run(spec, tmp_path, push_destination=models)

    assert done.returncode == 0, done.stdout[-2000:]
    assert (values["digest"], values["candidates"]) == (folder_digest(str(faces)), "")
    written = json.loads((tmp_path / "task" / "output_metadata.json").read_text())
    assert written == {"artifacts": {}, "parameterValues": values}
    assert "components" in imported(done.stdout)
    assert imported(done.stdout).isdisjoint(HEAVY)


def test_it_knows_the_model_that_an_earlier_run_with_the_same_values_pushed(
    spec: Any, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(monkeypatch)  # what the recipe is made of stands still
    mine = recipe(load(None, ["train.epochs=50"]))
    for number, name in ((7, "another"), (8, mine)):
        assets = tmp_path / "models" / str(number) / "assets.extra"
        assets.mkdir(parents=True)
        (assets.parent / "saved_model.pb").write_text("graph")
        RUN.write(Origin(name, "images", folder_digest(str(faces))).as_dict(), assets)

    _, values = run(spec, tmp_path / "same", push_destination=str(tmp_path / "models"), epochs=50)
    assert (values["candidates"], values["version"]) == ("7", "8")

    _, values = run(spec, tmp_path / "other", push_destination=str(tmp_path / "models"), epochs=5)
    assert values["candidates"] == "8,7"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 2.5}, "parameter epochs must be an integer from 1 to 1000000. Received: 2.5"),
        ({"architecture": "vgg"}, "parameter architecture must be one of resnet18, resnet34"),
        ({"push_destination": "models"}, "parameter push_destination must be an absolute path"),
        ({"data": "/none"}, "data: no such folder: /none"),
    ],
)
def test_an_impossible_value_is_the_last_line_of_its_log(
    values: dict[str, Any], message: str, spec: Any, tmp_path: Path
) -> None:
    done, handed_on = run(spec, tmp_path, **values)

    assert done.returncode == 1
    [reason] = [line for line in done.stdout.splitlines() if line.startswith("failed: ")]
    assert message in reason
    assert handed_on == {}
