"""Kubeflow's API as a record of runs, for `inspect` and `report`: only ever asked, never told."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from pipeline.kubeflow.answers import Answer, Task, parameters_of, to_artifact, to_event, to_run, to_tasks
from pipeline.kubeflow.api import Host, MissingError, Query
from pipeline.kubeflow.task_states import was_terminated
from pipeline.kubeflow.workflow import read_workflow
from pipeline.lineage.store import Artifact, Event, Execution, Id, Run, StoreError

_API = "/apis/v2beta1"
_PAGE = 100
_NEWEST_FIRST = "created_at desc"
_ELSEWHERE = (
    "of this release artifacts, figures and what came from the cache are in ML Metadata: see --mlmd grpc://host:port"
)


class KubeflowStore:
    """Runs of one installation, or of one of its namespaces.

    Which form the installation has is found out by the address of its artifacts, which is new in the release that keeps
    no ML Metadata.
    """

    def __init__(self, host: Host, remark: Callable[[str], None]) -> None:
        """Ask the host which form it has.

        Args:
            host: whom to ask.
            remark: called with a line if its API has no artifacts.

        Raises:
            SubmitError: it can't be reached, or doesn't let us in.
        """
        self._host = host
        self._answers: dict[Id, Answer] = {}  # of runs, with their tasks
        self._run_of: dict[Id, Id] = {}  # by task
        self._was_terminated: dict[Id, bool] = {}  # by run
        try:
            self._get("artifacts", {"page_size": 1, **self._namespace()})
            self.has_artifacts = True
        except MissingError:
            self.has_artifacts = False
            remark(_ELSEWHERE)

    def runs(self, limit: int | None = None) -> list[Run]:
        """Return all runs, or so many, the newest first."""
        found = self._listed("runs", {"sort_by": _NEWEST_FIRST, **self._namespace()}, limit)
        return [self._with_ending(to_run(answer)) for answer in found]

    def parameters_of(self, run: Run) -> dict[str, Any]:
        """Return the parameters that were set for a run."""
        return parameters_of(self._answer(run.id))

    def executions_of(self, run: Run) -> list[Execution]:
        """Return a run's executions in the order in which they began."""
        return [task.execution for task in self._tasks(run.id) if task.is_work]

    def artifacts_of(self, run: Run) -> list[Artifact]:
        """Return a run's artifacts in the order in which they were made, the reused ones too."""
        found = {one.id: one for task in self._tasks(run.id) for one in task.artifacts}
        return sorted(found.values(), key=_age)

    def executions(self, ids: Iterable[Id]) -> list[Execution]:
        """Those executions."""
        return [task.execution for task in self._known(ids)]

    def artifacts(self, ids: Iterable[Id] | None = None) -> list[Artifact]:
        """Those artifacts, or all.

        Raises:
            StoreError: the API has none.
        """
        self._need_artifacts()
        if ids is None:
            return sorted((to_artifact(answer) for answer in self._listed("artifacts", self._namespace())), key=_age)
        return sorted(
            (to_artifact(answer) for one in ids if (answer := self._one(f"artifacts/{quote(str(one), safe='')}"))),
            key=_age,
        )

    def newest_artifacts(self, limit: int) -> list[Artifact]:
        """So many artifacts, the newest first.

        Raises:
            StoreError: the API has none.
        """
        self._need_artifacts()
        query = {"sort_by": _NEWEST_FIRST, **self._namespace()}
        return [to_artifact(answer) for answer in self._listed("artifacts", query, limit)]

    def events_of_executions(self, ids: Iterable[Id]) -> list[Event]:
        """Return what these executions took and made."""
        return [event for task in self._known(ids) for event in task.events]

    def events_of_artifacts(self, ids: Iterable[Id]) -> list[Event]:
        """Who took or made these artifacts.

        Raises:
            StoreError: the API has none.
        """
        self._need_artifacts()
        events = []
        for answer in self._listed("artifact_tasks", {"artifact_ids": [str(one) for one in ids]}):
            self._run_of[answer["task_id"]] = answer["run_id"]
            events.append(to_event(answer))
        return events

    def _with_ending(self, run: Run) -> Run:
        """Return the run as canceled where somebody ended it: Kubeflow calls it failed, as its tasks are."""
        if run.properties["state"] != "failed":
            return run
        if run.id not in self._was_terminated:
            self._was_terminated[run.id] = was_terminated(read_workflow(self._host, run.id))
        if not self._was_terminated[run.id]:
            return run
        return replace(run, properties={**run.properties, "state": "canceled"})

    def _known(self, ids: Iterable[Id]) -> list[Task]:
        """Return the tasks with these ids."""
        wanted = list(ids)
        for one in wanted:
            if one not in self._run_of:
                self._look_for(one)
        runs = {self._run_of[one] for one in wanted if one in self._run_of}
        tasks = {task.execution.id: task for run in runs for task in self._tasks(run)}
        return [tasks[one] for one in wanted if one in tasks]

    def _look_for(self, task: Id) -> None:
        """Look for the run of a task, the newest run first: the API gives no task without its run's id."""
        for run in self.runs():
            self._tasks(run.id)
            if task in self._run_of:
                return

    def _tasks(self, run: Id) -> list[Task]:
        tasks = to_tasks(self._answer(run))
        self._run_of |= {task.execution.id: run for task in tasks}
        return tasks

    def _answer(self, run: Id) -> Answer:
        if run not in self._answers:
            self._answers[run] = self._get(
                f"runs/{quote(str(run), safe='')}", {"view": "FULL"} if self.has_artifacts else {}
            )
        return self._answers[run]

    def _one(self, path: str) -> Answer | None:
        try:
            return self._get(path, {})
        except MissingError:
            return None

    def _listed(self, what: str, query: Query, limit: int | None = None) -> Iterator[Answer]:
        """Yield what a listing holds, or so many of it, page after page."""
        page, left = "", limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(left, _PAGE)
            answer = self._get(what, {**query, "page_size": size, **({"page_token": page} if page else {})})
            found = answer.get(what, [])
            yield from found
            page = answer.get("next_page_token", "")
            if not page:
                return
            left = None if left is None else left - len(found)

    def _get(self, path: str, query: Query) -> Answer:
        answer: Answer = self._host.get_json(f"{_API}/{path}", query)
        return answer

    def _namespace(self) -> dict[str, str]:
        return {"namespace": self._host.namespace} if self._host.namespace else {}

    def _need_artifacts(self) -> None:
        if not self.has_artifacts:
            raise StoreError(_ELSEWHERE)


def _age(artifact: Artifact) -> tuple[int, str]:
    return artifact.created, str(artifact.id)
