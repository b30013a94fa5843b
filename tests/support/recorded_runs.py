"""Runs as the API of Kubeflow Pipelines answers them, in both its forms: part of the stand-in, no Kubeflow is in it.

Up to release 2.17 a run's answer is checked against the models of kfp-server-api; of the form without ML Metadata,
which that doesn't know yet, against the fields of `run.proto` and `artifact.proto` (Kubeflow's branch mlmd-removal).
What is left out, and in which words, is after the server's converters.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from driver_records import FIGURES, PIPELINE, ROOT, TASKS, Task

Answer = dict[str, Any]

# By message: the type of each field, "" where it is plain.
_FIELDS: dict[str, dict[str, str]] = {
    "Run": {
        **dict.fromkeys(("run_id", "display_name", "experiment_id", "state", "storage_state", "task_count"), ""),
        **dict.fromkeys(("created_at", "scheduled_at", "finished_at", "runtime_config", "pipeline_spec"), ""),
        "tasks": "PipelineTask",
    },
    "PipelineTask": {
        **dict.fromkeys(("name", "display_name", "task_id", "run_id", "state", "type", "parent_task_id"), ""),
        **dict.fromkeys(("create_time", "end_time", "status_metadata", "scope_path", "cache_fingerprint"), ""),
        "inputs": "InputOutputs",
        "outputs": "InputOutputs",
    },
    "InputOutputs": {"parameters": "IOParameter", "artifacts": "IOArtifact"},
    "IOParameter": dict.fromkeys(("value", "type", "parameter_key", "producer"), ""),
    "IOArtifact": {**dict.fromkeys(("type", "artifact_key", "producer"), ""), "artifacts": "Artifact"},
    "Artifact": {
        **dict.fromkeys(("artifact_id", "name", "description", "type", "uri"), ""),
        **dict.fromkeys(("metadata", "number_value", "created_at", "namespace"), ""),
    },
    "ArtifactTask": dict.fromkeys(("id", "artifact_id", "run_id", "task_id", "type", "producer", "key"), ""),
}


def fits(answer: Any, message: str) -> bool:
    """Whether every field is one of the message's, and its parts likewise."""
    if isinstance(answer, list):
        return all(fits(one, message) for one in answer)
    fields = _FIELDS[message]
    return all(name in fields and (not fields[name] or fits(value, fields[name])) for name, value in answer.items())


def moment(seconds: int) -> str:
    """A timestamp; of something that hasn't happened it is that of 0."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Recorded:
    """What an installation recorded.

    Attributes:
        later: it is of a release without ML Metadata.
        runs: whole, the oldest first.
    """

    later: bool
    runs: list[Answer] = field(default_factory=list)

    def add(
        self,
        run_id: str,
        parameters: Mapping[str, Any],
        *,
        last: str = "report",
        state: str = "SUCCEEDED",
        cached: tuple[str, ...] = (),
    ) -> None:
        """Record a run whose last task ended so; tasks that are cached take what the run before has made."""
        began = 1_700_000_000 + 10_000 * len(self.runs)
        names = list(TASKS)[: list(TASKS).index(last) + 1]
        ended = began + 60 * len(names) if state != "RUNNING" else 0
        answer: Answer = {
            "run_id": run_id,
            "display_name": f"facial-affect {run_id}",
            "experiment_id": "e0",
            "created_at": moment(began),
            "scheduled_at": moment(began),
            "finished_at": moment(ended),
            "state": state,
            "storage_state": "AVAILABLE",
            "runtime_config": {"parameters": dict(parameters), "pipeline_root": ROOT},
        }
        states = {name: state if name == last else "CACHED" if name in cached else "SUCCEEDED" for name in names}
        if self.later:
            tasks = list(self._tasks(run_id, began, parameters, states))
            answer |= {"task_count": len(tasks), "tasks": tasks}
            assert fits(answer, "Run")
        else:
            answer["run_details"] = {"task_details": list(_nodes(run_id, began, states))}
        self.runs.append(answer)

    def _tasks(
        self, run_id: str, began: int, parameters: Mapping[str, Any], states: Mapping[str, str]
    ) -> Iterator[Answer]:
        made = {
            (task["name"], group["artifact_key"]): group["artifacts"][0]
            for run in self.runs
            for task in run["tasks"]
            for group in task["outputs"].get("artifacts", [])
        }
        yield {
            "name": "",
            "task_id": f"{run_id}-root",
            "run_id": run_id,
            "type": "ROOT",
            "state": "RUNNING",
            "create_time": moment(began),
            "inputs": {},
            "outputs": {},
        }
        for number, (name, state) in enumerate(states.items()):
            task = TASKS[name]
            if state == "SUCCEEDED":
                made |= {(name, key): _artifact(run_id, name, key, title, began) for key, title in task.outputs.items()}
            yield {
                "name": name,
                "display_name": name,
                "task_id": f"{run_id}-{name}",
                "run_id": run_id,
                "parent_task_id": f"{run_id}-root",
                "type": "RUNTIME",
                "state": state,
                "create_time": moment(began + 60 * number),
                **({"end_time": moment(began + 60 * number + 45)} if state != "RUNNING" else {}),
                **({"status_metadata": {"message": "exit status 1"}} if state == "FAILED" else {}),
                "inputs": _inputs(parameters, task, made),
                "outputs": _outputs(name, task, made) if state in ("SUCCEEDED", "CACHED") else {},
            }

    def artifacts(self) -> list[Answer]:
        """All artifacts, the oldest first."""
        found = {one["artifact_id"]: one for run in self.runs for one in _made(run)}
        return list(found.values())

    def links(self) -> list[Answer]:
        """All ArtifactTasks."""
        found = [
            {
                "id": f"{task['task_id']}-{group['artifact_key']}",
                "artifact_id": one["artifact_id"],
                "run_id": run["run_id"],
                "task_id": task["task_id"],
                "type": group["type"],
                "producer": group["producer"],
                "key": group["artifact_key"],
            }
            for run in self.runs
            for task in run["tasks"]
            for side in (task["inputs"], task["outputs"])
            for group in side.get("artifacts", [])
            for one in group["artifacts"]
        ]
        assert fits(found, "ArtifactTask")
        return found


def _made(run: Answer) -> Iterator[Answer]:
    for task in run["tasks"]:
        for group in task["outputs"].get("artifacts", []):
            yield from group["artifacts"]


def _artifact(run_id: str, task: str, key: str, title: str, began: int) -> Answer:
    page = "/index.html" if title == "system.HTML" else ""
    known = {"system.HTML": "HTML", "system.Metrics": "Metric"}.get(title, "Artifact")
    figures = FIGURES.get(key, {})
    place = {"name": key, "uri": f"{ROOT}/{PIPELINE}/{run_id}/{task}/5f0c/{key}{page}"}
    if known == "Metric":  # an artifact a number, in no store
        [(name, number)] = figures.items()
        place = {"name": name, "number_value": number}
    return {
        "artifact_id": f"{run_id}-{task}-{key}",
        "type": known,
        **place,
        "metadata": {**figures, **({"_kfp_schema_title": title} if known == "Artifact" else {})},
        "created_at": moment(began + 60 * list(TASKS).index(task) + 40),
        "namespace": "kubeflow",
    }


def _inputs(parameters: Mapping[str, Any], task: Task, made: Mapping[tuple[str, str], Answer]) -> Answer:
    values = [{"value": value, "type": "COMPONENT_INPUT", "parameter_key": key} for key, value in parameters.items()]
    fixed = {"value": "s3://faces", "type": "RUNTIME_VALUE_INPUT", "parameter_key": "uri"}
    taken = [
        {
            "artifacts": [made[source]],
            "type": "TASK_OUTPUT_INPUT",
            "artifact_key": key,
            "producer": {"task_name": source[0]},
        }
        for key, source in task.inputs.items()
    ]
    return {"parameters": [*values, fixed], **({"artifacts": taken} if taken else {})}


def _outputs(name: str, task: Task, made: Mapping[tuple[str, str], Answer]) -> Answer:
    groups = [
        {"artifacts": [made[name, key]], "type": "OUTPUT", "artifact_key": key, "producer": {"task_name": name}}
        for key in task.outputs
    ]
    return {"artifacts": groups}


def _nodes(run_id: str, began: int, states: Mapping[str, str]) -> Iterator[Answer]:
    """The nodes of the workflow. A cached task's own node succeeds, and only its executor is left out."""
    nodes = [
        ("facial-affect-x7k2p", 0, 900, "RUNNING"),
        ("root-driver", 0, 5, "SUCCEEDED"),
        ("root", 5, 900, "RUNNING"),
    ]
    for number, (name, state) in enumerate(states.items()):
        start = 60 * number
        nodes.append((f"{name}-driver", start, start + 10, "SUCCEEDED"))
        nodes.append((name, start + 10, 0 if state == "RUNNING" else start + 45, state.replace("CACHED", "SUCCEEDED")))
        nodes.append(("executor", start + 10, start + 45, {"CACHED": "SKIPPED"}.get(state, state)))
        nodes.append(("executor(0)", start + 10, start + 45, state))
    for number, (name, start, end, state) in enumerate(nodes):
        yield {
            "run_id": run_id,
            "task_id": f"{run_id}-{number}",
            "display_name": name,
            "create_time": moment(began),
            "start_time": moment(began + start),
            "end_time": moment(began + end if end else 0),
            "state": state,
            "child_tasks": [{"pod_name": f"facial-affect-x7k2p-{number}"}],
        }
