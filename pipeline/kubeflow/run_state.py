"""How a run on Kubeflow stands: its own state, and each task's, with what the pods' logs tell of those that ended."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

from components.formats import nodes
from pipeline.kubeflow.api import Host, MissingError, SubmitError
from pipeline.kubeflow.log_lines import read_failure, read_made
from pipeline.kubeflow.pod_logs import PodLogs
from pipeline.kubeflow.task_states import TaskRun, from_tasks, from_workflow, read_time, task_names, was_terminated
from pipeline.kubeflow.workflow import read_workflow

FINISHED = ("succeeded", "failed", "canceled", "skipped", "error")


@dataclass(frozen=True)
class RunState:
    """How a run stands.

    Attributes:
        run_id: of the run.
        name: for people.
        state: "pending", "running", "canceling", "paused", or one of FINISHED.
        seconds: since it was submitted, or how long it took.
        namespace: of its pods; None if the release doesn't tell.
        error: of the run itself, where no task's tells why it failed; "" for none.
        tasks: in the order in which data flows.
    """

    run_id: str
    name: str
    state: str
    seconds: float
    namespace: str | None
    error: str
    tasks: list[TaskRun]

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in FINISHED

    @property
    def pushed(self) -> bool | None:
        """Whether the model was good enough and pushed; None where no log tells, as after a cached push."""
        pusher = next((task for task in self.tasks if task.node == nodes.PUSHER), None)
        told = pusher.properties.get("pushed_model", {}).get("pushed") if pusher else None
        return None if told is None else bool(told)


class RunReader:
    """Reads a run again and again, but its pipeline once, and the log of a pod that has ended once.

    Args:
        host: where it runs.
        run_id: of the run.
    """

    def __init__(self, host: Host, run_id: str) -> None:
        self._host, self._run_id, self._logs = host, run_id, PodLogs(host, run_id)
        self._names: list[str] = []
        self._quoted = quote(run_id, safe="")
        self._told: dict[str, TaskRun] = {}
        self._asked: set[str] = set()

    def read(self) -> RunState:
        """Return how the run stands now.

        Raises:
            MissingError: there is no such run.
            LostError: no answer.
            SubmitError: a refusal.
        """
        run = self._host.get_json(f"/apis/v2beta1/runs/{self._quoted}", {"view": "FULL"})
        self._names = self._names or self._read_names(run)
        now = datetime.now(timezone.utc)
        workflow = read_workflow(self._host, self._run_id)
        if workflow:
            tasks = from_workflow(workflow, self._names, now)
        else:
            tasks = from_tasks(run.get("tasks") or [], self._names, now)
        namespace = workflow.get("metadata", {}).get("namespace") or self._host.namespace
        state = str(run.get("state") or "PENDING").lower()
        if state == "failed" and was_terminated(workflow):
            state = "canceled"
        started, ended = read_time(run.get("created_at")), read_time(run.get("finished_at"))
        return RunState(
            run_id=self._run_id,
            name=run.get("display_name", ""),
            state=state,
            seconds=((ended or now) - started).total_seconds() if started else 0.0,
            namespace=namespace,
            error=(run.get("error") or {}).get("message") or _error_of(workflow, tasks),
            tasks=[
                self._with_log(task, namespace, run.get("created_at", "")[:10], state in FINISHED) for task in tasks
            ],
        )

    def _read_names(self, run: Mapping[str, Any]) -> list[str]:
        spec = run.get("pipeline_spec")
        version = run.get("pipeline_version_reference")
        if spec is None and version:
            try:
                where = f"{version['pipeline_id']}/versions/{version['pipeline_version_id']}"
                spec = self._host.get_json(f"/apis/v2beta1/pipelines/{where}").get("pipeline_spec")
            except MissingError:  # deleted since
                spec = None
        spec = (spec or {}).get("pipeline_spec", spec)  # beside a platform spec, or alone
        return task_names(spec) if spec else []

    def _with_log(self, task: TaskRun, namespace: str | None, day: str, is_last: bool) -> TaskRun:
        """Add what the task's own log says, once it has ended; what wasn't to be had then is asked for once more."""
        if task.pod is None or namespace is None or task.state not in ("done", "failed"):
            return task
        if task.pod not in self._told and (is_last or task.pod not in self._asked):
            self._asked.add(task.pod)
            if log := self._logs.read(task.pod, namespace, day):
                told = {"properties": read_made(log)} if task.state == "done" else {"failure": read_failure(log)}
                self._told[task.pod] = replace(task, **told)
        return self._told.get(task.pod, task)


def _error_of(workflow: Mapping[str, Any], tasks: list[TaskRun]) -> str:
    """Return what Argo says of a Workflow that failed without any task, such as one that it takes for invalid."""
    status = workflow.get("status") or {}
    is_told = was_terminated(workflow) or any(task.state == "failed" for task in tasks)
    return "" if is_told or status.get("phase") not in ("Failed", "Error") else str(status.get("message") or "")


def latest_run(host: Host) -> str:
    """Return the id of the newest run.

    Raises:
        SubmitError: there is none, or the host won't say.
    """
    query = {"sort_by": "created_at desc", "page_size": "1"} | ({"namespace": host.namespace} if host.namespace else {})
    runs = host.get_json("/apis/v2beta1/runs", query).get("runs") or []
    if not runs:
        raise SubmitError(f"{host.url} has no runs{f' in namespace {host.namespace}' if host.namespace else ''}")
    return str(runs[0]["run_id"])
