"""The state of each task, from either form of the API."""

from typing import Any

import pytest
from argo_workflow import Workflow, pod_name

from pipeline.kubeflow.task_states import TaskRun, from_tasks, from_workflow, read_time, task_names

NAMES = ["image-ingest", "tf-record-converter", "trainer"]


def read(workflow: Workflow, *names: str) -> dict[str, TaskRun]:
    rows = from_workflow(workflow.as_mapping(), names or NAMES, workflow.now)
    return {row.node: row for row in rows}


@pytest.mark.parametrize("stock", [False, True])
def test_a_run_under_way_is_read_task_by_task(stock: bool) -> None:
    workflow = Workflow(stock=stock).cached("image-ingest").done("tf-record-converter", 40).running("trainer", 90)

    rows = read(workflow, *NAMES, "pusher")

    assert list(rows) == ["ImageIngest", "TFRecordConverter", "Trainer", "Pusher"]
    assert [row.state for row in rows.values()] == ["cached", "done", "running", "waiting"]
    assert (rows["TFRecordConverter"].seconds, rows["Trainer"].seconds) == (40, 90)
    assert rows["Trainer"].pod == pod_name("trainer", stock=stock)


@pytest.mark.parametrize("stock", [False, True])
def test_folds_that_train_side_by_side_are_told_apart(stock: bool) -> None:
    workflow = Workflow(stock=stock).done("trainer", 80).running("trainer-fold-1", 50).running("trainer-fold-10", 60)

    rows = read(workflow, "trainer", "trainer-fold-1", "trainer-fold-10")

    assert [(row.node, row.state, row.seconds) for row in rows.values()] == [
        ("Trainer", "done", 80),
        ("Trainer.fold-1", "running", 50),
        ("Trainer.fold-10", "running", 60),
    ]


@pytest.mark.parametrize("stock", [False, True])
def test_a_pod_that_cannot_start_is_pending_since_it_was_asked_for(stock: bool) -> None:
    message = "Unschedulable: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu."

    row = read(Workflow(stock=stock).pending("trainer", 360, message))["Trainer"]

    assert (row.state, row.seconds, row.reason) == ("pending", 360, message)
    assert row.pod == pod_name("trainer", stock=stock)


@pytest.mark.parametrize("stock", [False, True])
@pytest.mark.parametrize(
    ("message", "phase", "terminated", "state"),
    [
        ("Error (exit code 1)", "Failed", False, "failed"),
        ("Error (exit code 1)", "Failed", True, "failed"),  # before somebody ended the run
        ("OOMKilled (exit code 137)", "Failed", False, "failed"),
        ("OOMKilled (exit code 137)", "Failed", True, "failed"),
        ("Error (exit code 137)", "Failed", True, "canceled"),  # once its pod has ended, Argo tells of that
        ("Error (exit code 143)", "Failed", True, "canceled"),
        ("Error (exit code 143)", "Failed", False, "failed"),
        ("pod deleted", "Error", False, "failed"),
        ("Step exceeded its deadline", "Failed", True, "canceled"),
        ("Step exceeded its deadline", "Failed", False, "failed"),
    ],
)
def test_a_failure_is_told_from_a_cancellation(
    message: str, phase: str, terminated: bool, state: str, stock: bool
) -> None:
    workflow = Workflow(terminated=terminated, stock=stock)
    container = "main: " if "exit code" in message else ""

    rows = read(workflow.failed("image-ingest", container + message, phase).omitted("tf-record-converter"))

    assert rows["ImageIngest"].state == state
    assert rows["ImageIngest"].reason == message
    assert rows["TFRecordConverter"].state == "skipped"
    assert rows["Trainer"].state == "waiting"


@pytest.mark.parametrize("stock", [False, True])
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
def test_of_several_attempts_the_newest_counts(phases: tuple[str, ...], state: str, attempt: int, stock: bool) -> None:
    row = read(Workflow(stock=stock).retried("trainer", *phases))["Trainer"]

    assert (row.state, row.attempt, row.pod) == (state, attempt, pod_name("trainer", attempt - 1, stock))


def test_a_task_that_is_begun_once_more_as_a_whole_counts_the_pods_before() -> None:
    row = read(Workflow(stock=True).again("trainer", "Error", "Error", "Running"))["Trainer"]

    assert (row.state, row.attempt, row.reason) == ("running", 3, "pod deleted")


def test_the_eleventh_attempt_is_newer_than_the_third() -> None:
    assert read(Workflow().retried("trainer", *["Failed"] * 10, "Running"))["Trainer"].attempt == 11


@pytest.mark.parametrize("stock", [False, True])
def test_a_task_whose_inputs_cannot_be_resolved_failed(stock: bool) -> None:
    row = read(Workflow(stock=stock).unresolved("trainer"))["Trainer"]

    assert (row.state, row.reason) == ("failed", "Error (exit code 1)")
    assert row.pod is not None
    assert "driver" in row.pod


@pytest.mark.parametrize("stock", [False, True])
@pytest.mark.parametrize(("phase", "state"), [("Pending", "pending"), ("Failed", "failed"), ("Error", "failed")])
def test_a_run_that_cannot_begin_says_so_before_its_tasks(phase: str, state: str, stock: bool) -> None:
    workflow = Workflow(stock=stock).not_begun(phase, "main: Error (exit code 1)")

    start, *tasks = from_workflow(workflow.as_mapping(), NAMES, workflow.now)

    assert (start.node, start.state, start.reason) == ("root-driver", state, "Error (exit code 1)")
    assert start.pod is not None
    assert start.pod.startswith("facial-affect-x7k2p-system-dag-driver-")
    assert {row.state for row in tasks} == {"waiting"}


@pytest.mark.parametrize("phase", ["Running", "Succeeded"])
def test_a_run_that_begins_well_shows_its_tasks_alone(phase: str) -> None:
    assert list(read(Workflow(stock=True).not_begun(phase, ""))) == ["ImageIngest", "TFRecordConverter", "Trainer"]


@pytest.mark.parametrize("stock", [False, True])
def test_without_the_pipelines_names_those_are_listed_that_have_begun(stock: bool) -> None:
    workflow = Workflow(stock=stock).running("trainer", 10).done("image-ingest", 100)

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
