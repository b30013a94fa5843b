"""What became of each task of a run, read from either form in which Kubeflow Pipelines' API tells it. Pure.

Every release so far serves Argo's Workflow (`pipeline_runtime.workflow_manifest` of the v1beta1 run): nodes with their
phases, their pods, and the reason why a pod waits or failed. Releases without ML Metadata also list tasks of their own
(`tasks` of the v2beta1 run with `view=FULL`), which remain if v1beta1 goes. A node is named by its way:
`facial-affect-x7.root.trainer.executor(0)`; beside `trainer` stands `trainer-driver`, which resolves its inputs.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from graphlib import TopologicalSorter
from typing import Any

from components.formats.nodes import node_of_task

ENDED = ("done", "cached", "failed", "canceled", "skipped")
_PHASES = {"Succeeded": "done", "Failed": "failed", "Error": "failed", "Pending": "pending"}
_OMITTED = ("Skipped", "Omitted")
_STATES = {"SUCCEEDED": "done", "CACHED": "cached", "FAILED": "failed", "SKIPPED": "skipped"}
_ATTEMPT = re.compile(r"executor\((\d+)\)")
# What becomes of a task that is stopped since somebody ended the run.
_STOPPED = ("Step exceeded its deadline", "workflow shutdown")


@dataclass(frozen=True)
class TaskRun:
    """What became of one task.

    Attributes:
        node: the component's id, as local runs show it.
        state: "waiting" for others, "pending" (its pod hasn't started), "running", "done", "cached", "failed",
            "canceled" or "skipped".
        seconds: since it began (a pending one: since its pod was asked for), or how long it took.
        pod: the newest, by name; None if there is none.
        attempt: 1 for the first.
        reason: why it waits or failed, in Kubernetes' words; "" if nothing is said.
        failure: why it failed, in its own words, where its log was read; "" otherwise.
        properties: custom properties of its output artifacts, by output, where its log was read.
    """

    node: str
    state: str = "waiting"
    seconds: float = 0.0
    pod: str | None = None
    attempt: int = 1
    reason: str = ""
    failure: str = ""
    properties: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def task_names(spec: Mapping[str, Any]) -> list[str]:
    """Return the names of a compiled pipeline's tasks, each behind those that it needs."""
    tasks = spec["root"]["dag"]["tasks"]
    graph: dict[str, list[str]] = {name: sorted(task.get("dependentTasks", [])) for name, task in sorted(tasks.items())}
    return list(TopologicalSorter(graph).static_order())


def was_terminated(workflow: Mapping[str, Any]) -> bool:
    """Return whether somebody ended the run: Kubeflow gives its Workflow no more time, and calls it failed then."""
    return (workflow.get("spec") or {}).get("activeDeadlineSeconds") == 0


def from_workflow(workflow: Mapping[str, Any], names: Sequence[str], now: datetime) -> list[TaskRun]:
    """Read Argo's Workflow.

    Args:
        workflow: as JSON has it.
        names: of the pipeline's tasks, in the order in which to list them; empty: those that have begun.
        now: the present, with its time zone.
    """
    found = {node["name"]: node for node in workflow.get("status", {}).get("nodes", {}).values()}
    root = f"{workflow['metadata']['name']}.root."
    if not names:
        ways = sorted((node["startedAt"] or "", way) for way, node in found.items() if way.startswith(root))
        begun = [way.removeprefix(root) for _, way in ways if "." not in way.removeprefix(root)]
        names = [name for name in begun if not name.endswith("-driver")]
    return [_from_nodes(workflow, found, root + name, node_of_task(name), now) for name in names]


def _from_nodes(
    workflow: Mapping[str, Any], found: Mapping[str, Any], way: str, node_id: str, now: datetime
) -> TaskRun:
    driver, task, executor = (found.get(where) for where in (f"{way}-driver", way, f"{way}.executor"))
    attempts = _attempts(found, way)
    if driver is not None and (task is None or _PHASES.get(driver["phase"]) == "failed"):
        begun = current = driver
        state = _PHASES.get(driver["phase"], "running")
        state = "running" if state == "done" else state  # its task is about to begin
    elif task is None:
        return TaskRun(node_id)
    elif task["phase"] in _OMITTED:
        return TaskRun(node_id, "skipped")
    elif executor is not None and executor["phase"] in _OMITTED:
        return TaskRun(node_id, "cached", _seconds(task, now))
    else:
        begun, current = task, (attempts[-1] if attempts else executor) or task
        state = _PHASES.get(task["phase"], "running")
        if state not in ENDED:
            state = "pending" if current["phase"] == "Pending" else "running"
    reason = current.get("message", "") if state in ("pending", "failed") else ""
    return TaskRun(
        node_id,
        "canceled" if state == "failed" and was_terminated(workflow) and reason.startswith(_STOPPED) else state,
        _seconds(current if state == "pending" else begun, now),
        _pod(workflow, current),
        max(len(attempts), 1),
        reason,
    )


def _attempts(found: Mapping[str, Any], way: str) -> list[Mapping[str, Any]]:
    """Return the nodes of a retried task's pods, first attempt first."""
    numbered = []
    for name, node in found.items():
        if name.startswith(f"{way}.") and (match := _ATTEMPT.fullmatch(name[len(way) + 1 :])):
            numbered.append((int(match[1]), node))
    return [node for _, node in sorted(numbered, key=lambda pair: pair[0])]


def _pod(workflow: Mapping[str, Any], node: Mapping[str, Any]) -> str | None:
    """Return a pod's name as Argo makes it (workflow/util/pod_name.go): workflow, template, hash of the node."""
    if node.get("type") != "Pod":
        return None
    metadata = workflow["metadata"]
    if (metadata.get("annotations") or {}).get("workflows.argoproj.io/pod-name-format") == "v1":
        return str(node["id"])
    return f"{metadata['name']}-{node['templateName']}-{node['id'].rpartition('-')[2]}"


def _seconds(node: Mapping[str, Any], now: datetime) -> float:
    started, ended = read_time(node.get("startedAt")), read_time(node.get("finishedAt"))
    return ((ended or now) - started).total_seconds() if started else 0.0


def from_tasks(tasks: Iterable[Mapping[str, Any]], names: Sequence[str], now: datetime) -> list[TaskRun]:
    """Read the tasks of a release that lists them: it knows of no pod that waits, and of no attempts.

    Args:
        tasks: `tasks` of the run.
        names: see `from_workflow`.
        now: see `from_workflow`.
    """
    found = {task["name"]: task for task in tasks if task.get("type") == "RUNTIME"}
    rows = []
    for name in names or list(found):
        task, node_id = found.get(name), node_of_task(name)
        if task is None:
            rows.append(TaskRun(node_id))
            continue
        state = _STATES.get(task.get("state", ""), "running")
        started, ended = read_time(task.get("create_time")), read_time(task.get("end_time"))
        pods = [pod["name"] for pod in task.get("pods", []) if pod.get("type") == "EXECUTOR"]
        reason = (task.get("status_metadata") or {}).get("message", "") if state == "failed" else ""
        seconds = ((ended or now) - started).total_seconds() if started else 0.0
        rows.append(TaskRun(node_id, state, seconds, pods[-1] if pods else None, max(len(pods), 1), reason))
    return rows


def read_time(text: str | None) -> datetime | None:
    """Return a moment as the API writes it; None for none, which Go writes as the year 1 and Unix as 1970."""
    if not text:
        return None
    moment = datetime.fromisoformat(re.sub(r"\.\d+", "", text).replace("Z", "+00:00"))
    return moment if moment.year > 1970 else None
