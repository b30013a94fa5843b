"""The entrypoint against ExecutorInputs in the forms of the driver and the local runner, for each scheme."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from executor_input import SPEC, from_driver, from_local_runner
from google.protobuf import struct_pb2
from tfx.orchestration.kubeflow.v2.container.kubeflow_v2_entrypoint_utils import parse_raw_artifact_dict
from tfx.types.artifact_utils import get_single_instance

from pipeline.kubeflow import entrypoint
from pipeline.kubeflow.entrypoint import Task, local_path, prepare, run
from pipeline.kubeflow.log_lines import read_made

HERE = Path(__file__).parent
SCHEMES = ("minio", "s3", "gs")


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The launcher's folders of copies, below the test's own instead of `/`."""
    places = {scheme: f"{tmp_path}{folder}" for scheme, folder in entrypoint._COPIES.items()}
    monkeypatch.setattr(entrypoint, "_COPIES", places)
    return tmp_path


def executed(invocation: dict[str, Any]) -> dict[str, Any]:
    run(Task("executor_input.Recorder", invocation, SPEC, ["--runner=FnApiRunner"]))
    found: dict[str, Any] = json.loads(Path(invocation["outputs"]["outputFile"]).read_text())
    return {key: artifacts["artifacts"][0] for key, artifacts in found["artifacts"].items()}


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("minio://mlpipeline/v2/x", "/minio/mlpipeline/v2/x"),
        ("s3://bucket/x", "/s3/bucket/x"),
        ("gs://bucket/x", "/gcs/bucket/x"),
        ("/tmp/root/x", "/tmp/root/x"),
    ],
)
def test_a_uri_is_where_the_launcher_keeps_its_copy(uri: str, path: str) -> None:
    assert local_path(uri) == path


def test_a_scheme_without_copies_is_an_error() -> None:
    with pytest.raises(ValueError, match="Received: hdfs://x"):
        local_path("hdfs://x")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_executor_gets_paths_types_and_properties_back(scheme: str, copies: Path) -> None:
    invocation = from_driver(f"{scheme}://bucket/root", str(copies / "kfp" / "output_metadata.json"))

    executed(invocation)

    [given] = [json.loads(path.read_text()) for path in copies.rglob("given.json")]
    folder = {"minio": "minio", "s3": "s3", "gs": "gcs"}[scheme]
    assert given["uri"] == f"{copies}/{folder}/bucket/root/in/examples"
    assert given["types"] == {"examples": "Examples", "dataset": "ImageDataset"}
    assert given["splits"] == '["train", "eval", "test"]'
    assert (given["count"], given["labels"]) == (120, "anger, fear")
    assert given["outputs"] == ["pushed_model", "report"]  # the launcher's log is the launcher's
    assert given["stored_at"] == f"{scheme}://bucket/root/in/examples"
    assert given["properties"]["seed"] == 3
    assert isinstance(given["properties"]["epochs"], int)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_handed_back_has_the_uris_that_were_given(scheme: str, copies: Path) -> None:
    invocation = from_driver(f"{scheme}://bucket/root", str(copies / "kfp" / "output_metadata.json"))

    outputs = executed(invocation)

    task = f"{scheme}://bucket/root/facial-affect/4f0c/report/9d2e"
    assert outputs["pushed_model"]["uri"] == f"{task}/pushed_model"
    assert outputs["report"]["uri"] == f"{task}/report/index.html"  # a file, which Kubeflow's page shows


def test_every_outputs_folder_is_there_before_the_executor_runs(copies: Path) -> None:
    executed(from_driver("minio://bucket/root", str(copies / "kfp" / "output_metadata.json")))

    [given] = [json.loads(path.read_text()) for path in copies.rglob("given.json")]
    assert given["folders"] == ["pushed_model", "report"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_properties_hold_uris_where_the_executor_wrote_paths(scheme: str, copies: Path) -> None:
    invocation = from_driver(f"{scheme}://bucket/root", str(copies / "kfp" / "output_metadata.json"))

    metadata = executed(invocation)["pushed_model"]["metadata"]

    assert metadata["current_model"] == f"{scheme}://bucket/root/in/examples"
    assert metadata["pushed_version"] == "1700000000"


def test_a_parameter_set_to_an_impossible_value_fails_before_anything_is_imported(tmp_path: Path) -> None:
    invocation = from_local_runner(str(tmp_path), str(tmp_path / "task" / "executor_output.json"))
    invocation["inputs"]["parameterValues"]["epochs"] = 2.5
    spec = {**SPEC, "rules": {"epochs": {"parameter": "epochs", "least": 1, "most": None}}}

    with pytest.raises(ValueError, match=r"^parameter epochs must be an integer of at least 1. Received: 2.5$"):
        run(Task("no.such.Executor", invocation, spec, []))

    assert list(tmp_path.iterdir()) == []


def test_properties_survive_the_way_to_the_next_component(copies: Path) -> None:
    invocation = from_driver("minio://bucket/root", str(copies / "kfp" / "output_metadata.json"))

    pushed = executed(invocation)["pushed_model"]

    assert pushed["metadata"]["pushed_version"] == "1700000000"
    # The next component's input: the metadata as it was handed over, the type as MLMD has it.
    nxt = from_driver("minio://bucket/root", "/tmp/x")
    nxt["inputs"]["artifacts"] = {"pushed_model": {"artifacts": [{**pushed, "type": {"instanceSchema": "title: x"}}]}}
    spec = {"artifacts": {"pushed_model": {"artifactType": {"schemaTitle": "tfx.PushedModel"}}}}
    prepared = prepare(Task("x", nxt, spec, []))
    artifact = get_single_instance(parse_raw_artifact_dict(_messages(prepared["inputs"]["artifacts"]))["pushed_model"])
    assert artifact.get_string_custom_property("pushed_version") == "1700000000"
    assert artifact.get_int_custom_property("pushed") == 1


def test_the_log_tells_what_was_made(copies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    executed(from_driver("minio://bucket/root", str(copies / "kfp" / "output_metadata.json")))

    told = read_made(capsys.readouterr().out)["pushed_model"]
    assert (told["pushed"], told["pushed_version"]) == (1, "1700000000")


def _messages(artifacts: dict[str, Any]) -> Any:
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2

    message = pipeline_spec_pb2.ExecutorInput()
    json_format.ParseDict({"inputs": {"artifacts": artifacts}}, message)
    assert isinstance(next(iter(message.inputs.artifacts.values())).artifacts[0].metadata, struct_pb2.Struct)
    return message.inputs.artifacts


def test_kfps_local_runner_gives_paths_and_no_types(tmp_path: Path) -> None:
    invocation = from_local_runner(str(tmp_path), str(tmp_path / "task" / "executor_output.json"))

    outputs = executed(invocation)

    [given] = [json.loads(path.read_text()) for path in tmp_path.rglob("given.json")]
    assert given["types"] == {"examples": "Examples", "dataset": "ImageDataset"}
    assert outputs["pushed_model"]["uri"].startswith(str(tmp_path))


def test_output_parameters_are_written_as_the_launcher_reads_them(tmp_path: Path) -> None:
    outputs = {"parameters": {name: {"outputFile": str(tmp_path / name)} for name in ("text", "number")}}

    entrypoint.write_parameters({"parameterValues": {"text": "a b", "number": 3, "other": 1}}, outputs)

    assert (tmp_path / "text").read_text() == "a b"
    assert (tmp_path / "number").read_text() == "3"


def _of_a_plain_executor(folder: Path) -> dict[str, Any]:
    """As the driver gives it, with two outputs that are handed on as parameters."""
    invocation = from_local_runner(str(folder), str(folder / "task" / "executor_output.json"))
    del invocation["outputs"]["artifacts"]["pushed_model"]
    names = ("text", "count")
    invocation["outputs"]["parameters"] = {name: {"outputFile": str(folder / "values" / name)} for name in names}
    return invocation


def _command_line(executor: str, invocation: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "pipeline.kubeflow.entrypoint", "--executor_class_path", executor]
    line += ["--json_serialized_invocation_args", json.dumps(invocation)]
    line += ["--json_serialized_inputs_spec_args", json.dumps(SPEC)]
    environment = {**os.environ, "PYTHONPATH": f"{HERE}:{Path.cwd()}"}
    return subprocess.run(line, capture_output=True, text=True, check=False, env=environment)


def test_a_plain_executor_runs_without_tfx_and_is_given_the_same(tmp_path: Path) -> None:
    invocation = _of_a_plain_executor(tmp_path)

    done = _command_line("plain_recorder.Recorder", invocation)

    assert done.returncode == 0, done.stdout
    [page] = tmp_path.rglob("index.html")
    assert json.loads(page.read_text()) == {
        "uri": f"{tmp_path}/in/examples",
        "stored_at": f"{tmp_path}/in/examples",
        "count": 120,
        "labels": "anger, fear",
        "nothing": [0, ""],
        "seed": 3,
        "imported": [],
    }


def test_what_a_plain_executor_hands_on_is_where_the_launcher_looks(copies: Path) -> None:
    invocation = _of_a_plain_executor(copies)
    for artifacts in (*invocation["inputs"]["artifacts"].values(), *invocation["outputs"]["artifacts"].values()):
        artifacts["artifacts"][0]["uri"] = artifacts["artifacts"][0]["uri"].replace(str(copies), "minio://bucket/root")

    run(Task("plain_recorder.Recorder", invocation, SPEC, []))

    output = json.loads(Path(invocation["outputs"]["outputFile"]).read_text())
    assert output["parameterValues"] == {"text": "a b", "count": 3}
    assert [(copies / "values" / name).read_text() for name in ("text", "count")] == ["a b", "3"]
    [report] = output["artifacts"]["report"]["artifacts"]
    assert report["uri"] == "minio://bucket/root/facial-affect/4f0c/report/9d2e/report/index.html"
    assert report["metadata"].keys() == {"from", "bytes", "accuracy", "files"}
    assert (
        report["metadata"].items() >= {"from": "minio://bucket/root/in/examples", "bytes": 6, "accuracy": 0.5}.items()
    )


def test_a_task_that_hands_on_nothing_but_values_needs_no_artifacts(tmp_path: Path) -> None:
    """The driver leaves out what is empty."""
    invocation = {
        "inputs": {"parameterValues": {"number": 2.0}},
        "outputs": {
            "parameters": {"double": {"outputFile": str(tmp_path / "double")}},
            "outputFile": str(tmp_path / "output_metadata.json"),
        },
    }
    spec = {"parameters": {"number": {"parameterType": "NUMBER_INTEGER"}}}

    run(Task("plain_recorder.Doubler", invocation, spec, []))

    assert (tmp_path / "double").read_text() == "4"


def test_a_value_that_is_never_set_is_an_error(tmp_path: Path) -> None:
    invocation = _of_a_plain_executor(tmp_path)
    invocation["inputs"]["parameterValues"]["seed"] = 4

    with pytest.raises(ValueError, match="^plain_recorder.Recorder set no value for count$"):
        run(Task("plain_recorder.Recorder", invocation, SPEC, []))


def test_a_failure_exits_with_one_and_its_cause_is_the_last_line(tmp_path: Path) -> None:
    invocation = from_local_runner(str(tmp_path), str(tmp_path / "task" / "executor_output.json"))

    done = _command_line("executor_input.Failing", invocation)

    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "failed: ValueError: no such bucket: faces"
    assert "working" in done.stdout
    assert done.stderr == ""  # one stream, in order
