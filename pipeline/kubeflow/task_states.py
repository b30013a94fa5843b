"""What became of each task of a run, read from either form in which Kubeflow Pipelines' API tells it. Pure.

Every release so far serves Argo's Workflow (`pipeline_runtime.workflow_manifest` of the v1beta1 run): nodes with their
phases, their pods, and the reason why a pod waits or failed. Releases without ML Metadata also list tasks of their own
(`tasks` of the v2beta1 run with `view=FULL`), which remain if v1beta1 goes. A node is named by its way:
`facial-affect-x7.root.trainer.executor`; beside `trainer` stands `trainer-driver`, which resolves its inputs. What may
be retried has a node for each attempt below its own, `executor(0)`. From release 2.17 on everything may, the run itself
included: `facial-affect-x7(0).root(0).trainer(0).executor(0)`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from graphlib import TopologicalSorter
from typing import Any

from components.formats.nodes import node_of_task
from pipeline.kubeflow.exit_task import HANDLER, tasks_of

ENDED = ("done", "cached", "failed", "canceled", "skipped")
_PHASES = {"Succeeded": "done", "Failed": "failed", "Error": "failed", "Pending": "pending"}
_OMITTED = ("Skipped", "Omitted")
_STATES = {"SUCCEEDED": "done", "CACHED": "cached", "FAILED": "failed", "SKIPPED": "skipped"}
_NUMBER = re.compile(r"\((\d+)\)")
# The container that failed, where Argo names it.
_MAIN = "main: "
# The pod that begins a run.
START = "root-driver"
# What becomes of a task that is stopped since somebody ended the run.
_STOPPED = re.compile(r"Step exceeded its deadline|workflow shutdown|(main: )?Error \(exit code (137|143)\)")


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
        reason: why it waits or failed, or of one that runs again why the attempt before did, in Kubernetes' words; ""
            if nothing is said.
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
    tasks = tasks_of(dict(spec))
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
    run = _newest(found, workflow["metadata"]["name"])
    root = _newest(found, f"{run}.root") + "."
    if f"{root}{HANDLER}" in found:
        root = _newest(found, f"{root}{HANDLER}") + "."
    if not names:
        ways = sorted((node["startedAt"] or "", way) for way, node in found.items() if way.startswith(root))
        begun = [way.removeprefix(root) for _, way in ways if not re.search(r"[.(]", way.removeprefix(root))]
        names = [name for name in begun if not name.endswith("-driver")]
    rows = [_from_nodes(workflow, found, root + name, node_of_task(name), now) for name in names]
    return [*_troubled_start(workflow, found, f"{run}.{START}", now), *rows]


def _troubled_start(
    workflow: Mapping[str, Any], found: Mapping[str, Any], way: str, now: datetime
) -> Iterator[TaskRun]:
    """Yield the pod that begins a run, if it can't: no task will begin then."""
    if way in found:
        row = _from_pods(workflow, START, found[way], [found[_newest(found, way)]], now)
        if row.state not in ("running", "done"):
            yield row


def _from_nodes(
    workflow: Mapping[str, Any], found: Mapping[str, Any], way: str, node_id: str, now: datetime
) -> TaskRun:
    driver, task = found.get(f"{way}-driver"), found.get(way)
    executor = found.get(_newest(found, way) + ".executor")
    if driver is not None and (task is None or _PHASES.get(driver["phase"]) == "failed"):
        row = _from_pods(workflow, node_id, driver, [found[_newest(found, driver["name"])]], now)
        return replace(row, state="running") if row.state == "done" else row  # its task is about to begin
    if task is None:
        return TaskRun(node_id)
    if task["phase"] in _OMITTED:
        return TaskRun(node_id, "skipped")
    if executor is not None and executor["phase"] in _OMITTED:
        return TaskRun(node_id, "cached", _seconds(task, now))
    return _from_pods(workflow, node_id, task, _attempts(found, way), now)


def _from_pods(
    workflow: Mapping[str, Any],
    node_id: str,
    whole: Mapping[str, Any],
    pods: Sequence[Mapping[str, Any]],
    now: datetime,
) -> TaskRun:
    """Return what became of a node, by its own phase and by its newest pod."""
    current = pods[-1] if pods else whole
    state = _PHASES.get(whole["phase"], "running")
    if state not in ENDED:
        state = "pending" if current["phase"] == "Pending" else "running"
    lost = [pod for pod in pods if _PHASES.get(pod["phase"]) == "failed"]
    told = {"pending": [current, whole], "failed": [current, whole], "running": lost[-1:]}.get(state, [])
    reason = next((node["message"] for node in told if node.get("message")), "")
    if state == "failed" and was_terminated(workflow) and _STOPPED.match(reason):
        state = "canceled"
    return TaskRun(
        node_id,
        state,
        _seconds(current if state == "pending" else whole, now),
        _pod(workflow, current),
        max(len(pods), 1),
        reason.removeprefix(_MAIN),
    )


def _newest(found: Mapping[str, Any], way: str) -> str:
    """Return the way of a node's newest attempt, its own if it isn't one of those that may be retried."""
    number = 0
    while f"{way}({number})" in found:
        number += 1
    return f"{way}({number - 1})" if number else way


def _attempts(found: Mapping[str, Any], way: str) -> list[Mapping[str, Any]]:
    """Return the nodes of a task's pods, first attempt first: those of an executor, or of the whole task again."""
    executor = re.compile(re.escape(way) + r"(\(\d+\))?\.executor(\(\d+\))?")
    pods = [name for name, node in found.items() if node["type"] == "Pod" and executor.fullmatch(name)]
    return [found[name] for name in sorted(pods, key=lambda name: [int(part) for part in _NUMBER.findall(name)])]


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
