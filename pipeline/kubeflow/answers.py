"""What Kubeflow's API answers, as records of runs. Pure: JSON in, plain values out.

There are two forms. Up to release 2.17 a run has `run_details.task_details`, one for each node of its workflow, with
states and times. Later ones have tasks of their own, with parameters and artifacts (`PipelineTask` and `Artifact` in
`backend/api/v2beta1/run.proto` and `artifact.proto`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from components.formats.nodes import node_of_task
from pipeline.kubeflow.exit_task import HANDLER
from pipeline.lineage.store import Artifact, Event, Execution, Run, local_type

Answer = Mapping[str, Any]

# What the API says of a task, in ML Metadata's words.
_STATES = {"SUCCEEDED": "COMPLETE"}
# Types of tasks that do something, rather than hold others.
_WORK = ("RUNTIME", "IMPORTER")
# Types that Kubeflow itself knows, by the titles that they have in compiled files; all else is `Artifact` there.
_TITLES = {
    "Metric": "system.Metrics",
    "ClassificationMetric": "system.ClassificationMetrics",
    "SlicedClassificationMetric": "system.SlicedClassificationMetrics",
}
_TITLE = "_kfp_schema_title"
_OUTPUTS = ("OUTPUT", "ITERATOR_OUTPUT", "ONE_OF_OUTPUT", "TASK_FINAL_STATUS_OUTPUT")
# Of the workflow's nodes for a task: its driver; beside them are nodes for attempts and for the whole.
_DRIVER = "-driver"
_WHOLE = "root"


@dataclass(frozen=True)
class Task:
    """One task of a run.

    Attributes:
        execution: the task itself.
        is_work: it does something, rather than hold others.
        events: what it took and made.
        artifacts: all of these.
    """

    execution: Execution
    is_work: bool
    events: list[Event] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)


def to_run(answer: Answer) -> Run:
    """Return a run."""
    created, finished = _milliseconds(answer.get("created_at")), _milliseconds(answer.get("finished_at"))
    properties: dict[str, Any] = {"state": answer.get("state", "UNKNOWN").lower()}
    if finished:
        properties["milliseconds"] = finished - created
    return Run(answer["run_id"], answer.get("display_name", ""), created, properties)


def parameters_of(answer: Answer) -> dict[str, Any]:
    """Return what was set for a run."""
    return dict(answer.get("runtime_config", {}).get("parameters", {}))


def to_tasks(answer: Answer) -> list[Task]:
    """Return a run's tasks, in either form, in the order in which they began."""
    nodes = answer.get("run_details", {}).get("task_details", [])
    found = [_task(one) for one in answer["tasks"]] if "tasks" in answer else list(_of_nodes(nodes))
    return sorted(found, key=lambda task: (task.execution.created, str(task.execution.id)))


def to_artifact(answer: Answer) -> Artifact:
    """Return an artifact; a metric's value is among its properties."""
    properties = dict(answer.get("metadata", {}))
    kind = answer.get("type", "Artifact")
    title = properties.pop(_TITLE, None) or _TITLES.get(kind, f"system.{kind}")
    if "number_value" in answer:
        properties[answer.get("name", "value")] = answer["number_value"]
    return Artifact(
        id=answer["artifact_id"],
        type=local_type(title),
        uri=answer.get("uri", ""),
        state="LIVE",
        created=_milliseconds(answer.get("created_at")),
        properties=properties,
    )


def to_event(answer: Answer) -> Event:
    """Return the event that an `ArtifactTask` stands for."""
    return Event(answer["task_id"], answer["artifact_id"], answer.get("type") not in _OUTPUTS, answer.get("key", ""))


def _task(answer: Answer) -> Task:
    created, ended = _milliseconds(answer.get("create_time")), _milliseconds(answer.get("end_time"))
    inputs, outputs = answer.get("inputs", {}), answer.get("outputs", {})
    message = answer.get("status_metadata", {}).get("message")
    kind = answer.get("type", "")
    execution = Execution(
        id=answer["task_id"],
        component=node_of_task(answer.get("name", "")),
        type=kind,
        state=_state(answer),
        created=created,
        updated=ended or created,
        properties={"run_id": answer.get("run_id", ""), **({"message": message} if message else {})},
        parameters={one["parameter_key"]: one.get("value") for one in inputs.get("parameters", [])},
    )
    events, artifacts = [], []
    for side, is_input in ((inputs, True), (outputs, False)):
        for group in side.get("artifacts", []):
            for one in group.get("artifacts", []):
                artifacts.append(to_artifact(one))
                events.append(Event(execution.id, one["artifact_id"], is_input, group.get("artifact_key", "")))
    return Task(execution, kind in _WORK, events, artifacts)


def _of_nodes(nodes: list[Answer]) -> Iterator[Task]:
    """Yield the tasks behind the nodes of a workflow: each has a driver, and a node of its own once that has ended."""
    by_name = {node.get("display_name", ""): node for node in nodes}
    for name, driver in by_name.items():
        task = name.removesuffix(_DRIVER)
        if task in (name, _WHOLE, HANDLER):
            continue
        node = by_name.get(task, driver)
        if _state(driver) == "FAILED":  # its own node is left out then
            node = driver
        created, ended = _milliseconds(driver.get("start_time")), _milliseconds(node.get("end_time"))
        yield Task(
            Execution(
                id=node["task_id"],
                component=node_of_task(task),
                type="",
                state="RUNNING" if node is driver and _state(node) == "COMPLETE" else _state(node),
                created=created,
                updated=max(ended, created),
                properties={"run_id": node.get("run_id", "")},
                parameters={},
            ),
            is_work=True,
        )


def _state(answer: Answer) -> str:
    state = answer.get("state", "UNKNOWN")
    return str(_STATES.get(state, state))


def _milliseconds(text: str | None) -> int:
    """Return RFC 3339 as milliseconds since 1970; 0 where there is none. The API's times are whole seconds."""
    if not text:
        return 0
    return int(datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp()) * 1000
