"""ExecutorInputs in the forms of the driver and of kfp's local runner, and executors that say what they were given."""

import json
from pathlib import Path
from typing import Any

from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types.artifact_utils import get_single_instance

from components.formats.stored_at import stored_at

SPEC = {
    "artifacts": {
        "examples": {"artifactType": {"schemaTitle": "tfx.Examples", "schemaVersion": "0.0.1"}},
        "dataset": {"artifactType": {"schemaTitle": "components.ImageDataset", "schemaVersion": "0.0.1"}},
    },
    "parameters": {
        "seed": {"parameterType": "NUMBER_INTEGER"},
        "epochs": {"parameterType": "NUMBER_INTEGER"},
        "architecture": {"parameterType": "STRING"},
        "recipe": {"parameterType": "STRING"},
    },
}


RECIPE = json.dumps({"architecture": "resnet18", "rest": "r" * 16, "seed": 0, "train": {}})


def from_driver(root: str, output_file: str) -> dict[str, Any]:
    """As Kubeflow's driver passes it: types as MLMD's schema, numbers as JSON has them, the launcher's log beside."""
    task = f"{root}/facial-affect/4f0c/report/9d2e"
    return {
        "inputs": {
            "parameterValues": {"seed": 3, "epochs": 5.0, "architecture": "resnet18", "recipe": RECIPE},
            "artifacts": {
                "examples": _artifact("", f"{root}/in/examples", {"instanceSchema": "title: tfx.Examples"}, _EXAMPLES),
                "dataset": _artifact("7", f"{root}/in/dataset", {"instanceSchema": "title: components.ImageDataset"}),
            },
        },
        "outputs": {
            "artifacts": {
                "report": _artifact(
                    "report", f"{task}/report", {"schemaTitle": "system.HTML", "schemaVersion": "0.0.1"}
                ),
                "pushed_model": _artifact("pushed_model", f"{task}/pushed_model", {"schemaTitle": "tfx.PushedModel"}),
                "executor-logs": _artifact(
                    "executor-logs", f"{task}/executor-logs", {"schemaTitle": "system.Artifact"}
                ),
            },
            "outputFile": output_file,
        },
    }


def from_local_runner(root: str, output_file: str) -> dict[str, Any]:
    """As kfp's local runner passes it: inputs are `system.Artifact`, URIs are paths."""
    given = from_driver(root, output_file)
    for artifacts in given["inputs"]["artifacts"].values():
        artifacts["artifacts"][0]["type"] = {"schemaTitle": "system.Artifact", "schemaVersion": "0.0.1"}
    del given["outputs"]["artifacts"]["executor-logs"]
    return given


# What TFRecordConverter leaves, after a way through MLMD: numbers are doubles.
_EXAMPLES = {"split_names": '["train", "eval", "test"]', "train_examples": 120.0, "labels": "anger, fear"}


def _artifact(name: str, uri: str, kind: dict[str, str], metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    artifact = {"uri": uri, "type": kind, "metadata": metadata or {}}
    return {"artifacts": [artifact | ({"name": name} if name else {})]}


class Recorder(BaseExecutor):
    """Writes a page, and what it was given beside it."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:  # noqa: N802
        examples = get_single_instance(input_dict["examples"])
        report = get_single_instance(output_dict["report"])
        folder = Path(report.uri)
        (folder / "index.html").write_text("<html>")
        given = {
            "types": {key: type(get_single_instance(found)).__name__ for key, found in input_dict.items()},
            "outputs": sorted(output_dict),
            "uri": examples.uri,
            "stored_at": stored_at(examples),
            "folders": sorted(
                key for key, found in output_dict.items() if Path(get_single_instance(found).uri).is_dir()
            ),
            "splits": examples.split_names,
            "count": examples.get_int_custom_property("train_examples"),
            "labels": examples.get_string_custom_property("labels"),
            "properties": exec_properties,
        }
        (folder / "given.json").write_text(json.dumps(given))
        report.set_int_custom_property("bytes", 6)
        pushed = get_single_instance(output_dict["pushed_model"])
        pushed.set_string_custom_property("pushed_version", "1700000000")
        pushed.set_int_custom_property("pushed", 1)
        pushed.set_string_custom_property("current_model", examples.uri)  # as TFX's Evaluator does in the blessing


class Failing(BaseExecutor):
    """Fails."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:  # noqa: N802
        print("working")
        raise ValueError("no such bucket: faces")
