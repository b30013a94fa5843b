"""What a component's container runs: stands between Kubeflow's launcher and TFX's executors.

    python -m pipeline.kubeflow.entrypoint --executor_class_path components.ingest.executor.Executor
        --json_serialized_invocation_args '{"inputs": …}' --json_serialized_inputs_spec_args '{…}' [Beam's arguments]

The launcher names artifacts by URI and has copied the inputs of `s3://bucket/x` to `/s3/bucket/x`; what it then finds
at an output's local path it uploads. TFX's runner needs classes of artifacts, which neither the driver nor kfp's local
runner passes on, and executors read and write paths. So: the run's values checked, types restored, URIs made paths,
damaged inputs refused, folders made, the executor run, and in what is handed back, paths made URIs and files recorded.
TFX is imported for executors that need it; the others run by themselves (`pipeline.kubeflow.plain_run`).
"""

import argparse
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from components.formats.documents import REPORT
from components.formats.stored_at import PROPERTY as STORED_AT
from components.plain_executor import PlainExecutor
from components.tools.files import write_json
from pipeline.kubeflow import log_lines
from pipeline.kubeflow.plain_run import run_plainly
from pipeline.kubeflow.run_values import as_run, check_values
from pipeline.kubeflow.shown_metrics import SHOWN_METRICS
from pipeline.kubeflow.spec import AGAIN, MAKERS, RULES
from pipeline.kubeflow.whole_files import refuse_damaged, with_files

Message = dict[str, Any]

# Where the launcher keeps its copies: LocalPathForURI in its source.
_COPIES = {"minio://": "/minio/", "s3://": "/s3/", "gs://": "/gcs/"}
# Types that the compiler declares so that Kubeflow's pages show them, what they are here, and which file is shown.
_SHOWN = {"system.HTML": ("components.HtmlReport", REPORT)}


@dataclass(frozen=True)
class Task:
    """One execution as the launcher describes it.

    Attributes:
        executor: dotted path of the executor's class.
        invocation: ExecutorInput.
        inputs_spec: ComponentInputsSpec, from the arguments, with the rules for the run's values, and who makes the
            inputs.
        beam: further arguments, for Beam.
    """

    executor: str
    invocation: Message
    inputs_spec: Message
    beam: list[str]


def parse(arguments: Sequence[str]) -> Task:
    """Return the task that the command line describes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--executor_class_path", required=True)
    parser.add_argument("--json_serialized_invocation_args", required=True, type=json.loads)
    parser.add_argument("--json_serialized_inputs_spec_args", default={}, type=json.loads)
    parser.add_argument(AGAIN)  # for Kubeflow's cache, which goes by the arguments
    known, beam = parser.parse_known_args(arguments)
    return Task(
        known.executor_class_path,
        known.json_serialized_invocation_args,
        known.json_serialized_inputs_spec_args,
        beam,
    )


def local_path(uri: str) -> str:
    """Return where the launcher has, or looks for, its copy; a path stays what it is.

    Raises:
        ValueError: a scheme that the launcher has no copies of.
    """
    for scheme, folder in _COPIES.items():
        if uri.startswith(scheme):
            return folder + uri[len(scheme) :]
    if "://" in uri:
        raise ValueError(f"artifacts must be at {', '.join(_COPIES)} or a path. Received: {uri}")
    return uri


def prepare(task: Task) -> Message:
    """Return the ExecutorInput that a runner takes: with our types, with local paths, and with names.

    Outputs that aren't the component's (the launcher's own log, metrics for Kubeflow's pages) are left out.

    Raises:
        ValueError: the run set a parameter to an impossible value.
    """
    specs = task.inputs_spec.get("artifacts", {})
    inputs, outputs = task.invocation.get("inputs", {}), task.invocation["outputs"]
    values = check_values(inputs.get("parameterValues", {}), task.inputs_spec.get(RULES, {}))
    taken = {
        key: _artifacts(artifacts, key, specs[key]["artifactType"]["schemaTitle"], is_input=True)
        for key, artifacts in inputs.get("artifacts", {}).items()
    }
    made = {
        key: _artifacts(artifacts, key, title)
        for key, artifacts in outputs.get("artifacts", {}).items()
        if (title := _our_type(artifacts)) is not None
    }
    return {
        "inputs": {"artifacts": taken, "parameterValues": as_run(_integers(values, task.inputs_spec))},
        "outputs": {**outputs, "artifacts": made},
    }


def _artifacts(artifacts: Message, key: str, title: str, is_input: bool = False) -> Message:
    def localized(artifact: Message) -> Message:
        name = artifact.get("name") or key  # TFX's Evaluator looks artifacts up by their names
        uri = local_path(artifact["uri"])
        metadata = {**artifact.get("metadata", {}), **({STORED_AT: artifact["uri"]} if is_input else {})}
        return {**artifact, "name": name, "uri": uri, "metadata": metadata, "type": {"schemaTitle": title}}

    return {"artifacts": [localized(artifact) for artifact in artifacts["artifacts"]]}


def _our_type(artifacts: Message) -> str | None:
    title: str = artifacts["artifacts"][0].get("type", {}).get("schemaTitle", "")
    if title in _SHOWN:
        return _SHOWN[title][0]
    return title if title and not title.startswith("system.") else None


def _integers(values: Message, spec: Message) -> Message:
    """Return the parameters with integers where they are declared: JSON from a protobuf knows floats alone."""
    declared = spec.get("parameters", {})
    return {
        key: int(value) if declared.get(key, {}).get("parameterType") == "NUMBER_INTEGER" else value
        for key, value in values.items()
    }


def make_folders(invocation: Message) -> None:
    """Make the folder of every output, as TFX's local runner does; the launcher makes none."""
    outputs = invocation["outputs"]
    folders = [Path(item["uri"]) for artifacts in outputs["artifacts"].values() for item in artifacts["artifacts"]]
    files = [outputs["outputFile"], *(value["outputFile"] for value in outputs.get("parameters", {}).values())]
    for folder in (*folders, *(Path(file).parent for file in files)):
        folder.mkdir(parents=True, exist_ok=True)


def hand_back(output: Message, task: Task) -> Message:
    """Return the ExecutorOutput for the launcher: with the URIs that it gave, and what there is to show in its place.

    Args:
        output: ExecutorOutput with local paths.
        task: for the URIs.
    """
    places = _places(task.invocation)
    artifacts = {}
    for key, found in output.get("artifacts", {}).items():
        [given] = task.invocation["outputs"]["artifacts"][key]["artifacts"]
        uri = given["uri"]
        _, page = _SHOWN.get(given.get("type", {}).get("schemaTitle", ""), ("", ""))
        if page and Path(local_path(uri), page).exists():
            uri = f"{uri}/{page}"
        [made] = found["artifacts"]
        metadata = {
            name: places.get(value, value) if isinstance(value, str) else value
            for name, value in made.get("metadata", {}).items()
            if value is not None
        }
        artifacts[key] = {"artifacts": [{**made, "uri": uri, "metadata": metadata}]}
    return {**output, "artifacts": artifacts}


def shown_metrics(task: Task) -> Message:
    """Return the artifacts of ExecutorOutput that are for Kubeflow's pages, and write what each says to its place.

    Args:
        task: one whose executor has run.
    """
    outputs = task.invocation["outputs"].get("artifacts", {})
    artifacts = {}
    for key in sorted(SHOWN_METRICS.keys() & outputs.keys()):
        [given] = outputs[key]["artifacts"]
        [source] = outputs[SHOWN_METRICS[key].source]["artifacts"]
        metadata = SHOWN_METRICS[key].read(local_path(source["uri"]))
        place = Path(local_path(given["uri"]))
        place.parent.mkdir(parents=True, exist_ok=True)
        write_json(metadata, place)
        artifacts[key] = {"artifacts": [{"name": key, "uri": given["uri"], "metadata": metadata}]}
    return artifacts


def _places(invocation: Message) -> dict[str, str]:
    """Return the URI of each artifact by its local path: TFX's Evaluator puts its inputs' paths into the blessing."""
    sides = (invocation.get("inputs", {}), invocation["outputs"])
    both = [artifacts for side in sides for artifacts in side.get("artifacts", {}).values()]
    return {local_path(item["uri"]): item["uri"] for artifacts in both for item in artifacts["artifacts"]}


def write_parameters(output: Message, outputs: Mapping[str, Any]) -> None:
    """Output parameters, one file each; text as it is, all else as JSON."""
    for name, value in output.get("parameterValues", {}).items():
        if name in outputs.get("parameters", {}):
            text = value if isinstance(value, str) else json.dumps(value)
            Path(outputs["parameters"][name]["outputFile"]).write_text(text, "utf-8")


def run(task: Task) -> None:
    """Run the executor and leave behind what the launcher looks for."""
    invocation = prepare(task)
    began = time.monotonic()
    refuse_damaged(invocation["inputs"]["artifacts"], task.inputs_spec.get(MAKERS, {}))
    digesting = time.monotonic() - began
    make_folders(invocation)

    module, _, name = task.executor.rpartition(".")
    executor = getattr(importlib.import_module(module), name)
    execute = partial(run_plainly, executor) if issubclass(executor, PlainExecutor) else _by_tfx(task)
    imports = process_age()
    print(f"{task.executor} starts, {imports:.1f} s after its container's process", flush=True)
    output = hand_back(execute(invocation), task)
    began = time.monotonic()
    paths = {key: local_path(found["artifacts"][0]["uri"]) for key, found in output["artifacts"].items()}
    recorded = with_files(output["artifacts"], paths)
    digesting += time.monotonic() - began
    handed = {**output, "artifacts": {**recorded, **shown_metrics(task)}}
    Path(task.invocation["outputs"]["outputFile"]).write_text(json.dumps(handed, sort_keys=True), "utf-8")
    write_parameters(output, task.invocation["outputs"])
    print(log_lines.made(output["artifacts"]), flush=True)
    parts = f"imports {imports:.1f} s, digests {digesting:.2f} s"
    print(f"{task.executor} done: {process_age():.1f} s, of which {parts}", flush=True)


def _by_tfx(task: Task) -> Callable[[Message], Message]:
    """Return what makes an ExecutorOutput of an ExecutorInput by TFX's runner, which is imported first."""
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor

    def execute(invocation: Message) -> Message:
        arguments = argparse.Namespace(
            executor_class_path=task.executor,
            json_serialized_invocation_args=json.dumps(invocation),
            json_serialized_inputs_spec_args=json.dumps(task.inputs_spec),
        )
        kubeflow_v2_run_executor.main((arguments, task.beam))
        output: Message = json.loads(Path(invocation["outputs"]["outputFile"]).read_text("utf-8"))
        return output

    return execute


def process_age() -> float:
    """Seconds since this process began."""
    started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK")


def main(arguments: Sequence[str]) -> int:
    """Run the task; the status is 1 if it failed, and the log's last line says why."""
    os.dup2(1, 2)  # one stream: a log has its lines in the order in which they were written
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    try:
        run(parse(arguments))
    except Exception as error:
        traceback.print_exc()
        sys.stderr.flush()
        print(log_lines.failed(error), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
