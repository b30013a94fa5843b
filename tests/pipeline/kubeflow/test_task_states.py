"""The state of each task, from either form of the API."""

from typing import Any

import pytest
from argo_workflow import Workflow, pod_name

from pipeline.kubeflow.task_states import TaskRun, from_tasks, from_workflow, read_time, task_names

NAMES = ["image-ingest", "tf-record-converter", "trainer"]


def read(workflow: Workflow, *names: str) -> dict[str, TaskRun]:
    rows = from_workflow(workflow.as_mapping(), names or NAMES, workflow.now)
    return {row.node: row for row in rows}


def test_a_run_under_way_is_read_task_by_task() -> None:
    workflow = Workflow().cached("image-ingest").done("tf-record-converter", 40).running("trainer", 90)

    rows = read(workflow, *NAMES, "pusher")

    assert list(rows) == ["ImageIngest", "TFRecordConverter", "Trainer", "Pusher"]
    assert [row.state for row in rows.values()] == ["cached", "done", "running", "waiting"]
    assert (rows["TFRecordConverter"].seconds, rows["Trainer"].seconds) == (40, 90)
    assert rows["Trainer"].pod == pod_name("trainer")


def test_a_pod_that_cannot_start_is_pending_since_it_was_asked_for() -> None:
    message = "Unschedulable: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu."

    row = read(Workflow().pending("trainer", 360, message))["Trainer"]

    assert (row.state, row.seconds, row.reason, row.pod) == ("pending", 360, message, pod_name("trainer"))


@pytest.mark.parametrize(
    ("message", "phase", "terminated", "state"),
    [
        ("Error (exit code 1)", "Failed", False, "failed"),
        ("Error (exit code 1)", "Failed", True, "failed"),  # before somebody ended the run
        ("OOMKilled (exit code 137)", "Failed", False, "failed"),
        ("pod deleted", "Error", False, "failed"),
        ("Step exceeded its deadline", "Failed", True, "canceled"),
        ("Step exceeded its deadline", "Failed", False, "failed"),
    ],
)
def test_a_failure_is_told_from_a_cancellation(message: str, phase: str, terminated: bool, state: str) -> None:
    workflow = Workflow(terminated=terminated).failed("image-ingest", message, phase).omitted("tf-record-converter")

    rows = read(workflow)

    assert rows["ImageIngest"].state == state
    assert rows["ImageIngest"].reason == message
    assert rows["TFRecordConverter"].state == "skipped"
    assert rows["Trainer"].state == "waiting"


@pytest.mark.parametrize(
    ("phases", "state", "attempt"),
    [
        (("Failed", "Running"), "running", 2),
        (("Failed", "Pending"), "pending", 2),
        (("Failed", "Failed", "Failed"), "failed", 3),
        (("Failed", "Succeeded"), "done", 2),
        (("Running",), "running", 1),
    ],
)
def test_of_several_attempts_the_newest_counts(phases: tuple[str, ...], state: str, attempt: int) -> None:
    row = read(Workflow().retried("trainer", *phases))["Trainer"]

    assert (row.state, row.attempt, row.pod) == (state, attempt, pod_name("trainer", attempt - 1))


def test_the_eleventh_attempt_is_newer_than_the_third() -> None:
    assert read(Workflow().retried("trainer", *["Failed"] * 10, "Running"))["Trainer"].attempt == 11


def test_a_task_whose_inputs_cannot_be_resolved_failed() -> None:
    row = read(Workflow().unresolved("trainer"))["Trainer"]

    assert (row.state, row.reason) == ("failed", "Error (exit code 1)")
    assert row.pod is not None
    assert "driver" in row.pod


def test_without_the_pipelines_names_those_are_listed_that_have_begun() -> None:
    workflow = Workflow().running("trainer", 10).done("image-ingest", 100)

    rows = from_workflow(workflow.as_mapping(), [], workflow.now)

    assert [row.node for row in rows] == ["ImageIngest", "Trainer"]


def test_tasks_are_listed_behind_those_that_they_need() -> None:
    tasks: dict[str, Any] = {
        "a-last": {"dependentTasks": ["c-first", "b-middle"]},
        "b-middle": {"dependentTasks": ["c-first"]},
        "c-first": {},
    }

    assert task_names({"root": {"dag": {"tasks": tasks}}}) == ["c-first", "b-middle", "a-last"]


def test_a_release_without_ml_metadata_lists_tasks_of_its_own() -> None:
    now = read_time("2026-08-01T10:10:00Z")
    assert now is not None
    made = {"type": "RUNTIME", "create_time": "2026-08-01T10:00:00.123456Z"}
    tasks: list[dict[str, Any]] = [
        {"name": "root", "type": "ROOT", "state": "RUNNING"},
        {**made, "name": "image-ingest", "state": "CACHED", "end_time": "2026-08-01T10:00:02Z"},
        {
            **made,
            "name": "tf-record-converter",
            "state": "FAILED",
            "end_time": "2026-08-01T10:01:00Z",
            "status_metadata": {"message": "exit status 1"},
            "pods": [{"name": "d", "type": "DRIVER"}, {"name": "e", "type": "EXECUTOR"}],
        },
        {**made, "name": "trainer", "state": "RUNNING", "end_time": "0001-01-01T00:00:00Z"},
    ]

    ingest, converter, trainer, pusher = from_tasks(tasks, [*NAMES, "pusher"], now)

    assert (ingest.node, ingest.state, ingest.seconds) == ("ImageIngest", "cached", 2)
    assert (converter.state, converter.reason, converter.pod) == ("failed", "exit status 1", "e")
    assert (trainer.state, trainer.seconds) == ("running", 600)
    assert pusher.state == "waiting"
