"""Following a run on Kubeflow, over real HTTP to a stand-in that tells of Workflows as Argo leaves them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from argo_workflow import NAME, Workflow, pod_name
from click.testing import CliRunner, Result
from compiled import compiled_file
from stand_in import Kubeflow, running

from pipeline.cli import main
from pipeline.kubeflow import log_lines

BEFORE_TRAINER = [
    *("data-digest", "image-ingest", "split-balance-augment", "tf-record-converter", "statistics-gen", "image-schema"),
    *("example-validator", "distribution-validator", "data-gate", "simple-baselines"),
]
BEHIND_TRAINER = [
    "baseline-finder",
    "evaluator",
    "prediction-analysis",
    "model-explanation",
    "drift-reference",
    "pusher",
    "report",
]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled_file(tmp_path_factory.mktemp("compiled"))


@pytest.fixture
def kubeflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Kubeflow]:
    monkeypatch.setenv("HOME", str(tmp_path))  # kfp keeps a context there
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with running(Kubeflow()) as found:
        yield found


def submitted(kubeflow: Kubeflow, path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["submit", str(path), "--host", kubeflow.url, *arguments])


def status(kubeflow: Kubeflow, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["status", *arguments, "--host", kubeflow.url])


def rows_of(result: Result) -> list[str]:
    """The lines with single spaces, and without the time of what still runs."""
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    return [re.sub(r"running \d+\.\d s", "running", line) for line in lines]


def up_to_trainer() -> Workflow:
    workflow = Workflow()
    for task in BEFORE_TRAINER:
        workflow.done(task)
    return workflow


def finished(pushed: int, kubeflow: Kubeflow) -> Workflow:
    """A run that went to its end, with the pods' logs."""
    workflow = up_to_trainer().done("trainer", 300)
    for task in BEHIND_TRAINER:
        workflow.done(task)
    trainer = {"architecture": "resnet18", "eval_accuracy": 0.9875}
    made = {"trainer": {"model_run": trainer}, "pusher": {"pushed_model": {"pushed": pushed, "pushed_version": "17"}}}
    for task, outputs in made.items():
        artifacts = {name: {"artifacts": [{"metadata": values}]} for name, values in outputs.items()}
        around = "I0801 10:00:00.000000  7 launcher_v2.go:100] publish success\n"
        kubeflow.logs[pod_name(task)] = f"epoch 1\n{log_lines.made(artifacts)}\ndone\n{around}"
    return workflow


def test_waiting_shows_each_task_as_it_changes_and_the_table_at_the_end(kubeflow: Kubeflow, path: Path) -> None:
    kubeflow.states = ["PENDING", "RUNNING", "RUNNING", "SUCCEEDED"]
    begun = Workflow().running("image-ingest", 5).as_json()
    kubeflow.workflows = [
        begun,
        begun,
        up_to_trainer().running("trainer", 30).as_json(),
        finished(1, kubeflow).as_json(),
    ]

    result = submitted(kubeflow, path, "--wait")

    assert result.exit_code == 0, result.output
    rows = rows_of(result)
    assert rows.count("ImageIngest running") == 1
    figure = "Trainer done 300.0 s resnet18, eval accuracy 0.988"
    assert [row for row in rows if row.startswith("Trainer")] == ["Trainer running", figure, figure]
    assert rows.count("Pusher done 60.0 s version 17") == 2


@pytest.mark.parametrize(("state", "status"), [("SUCCEEDED", 0), ("FAILED", 1), ("ERROR", 1)])
def test_waiting_ends_with_the_runs_status(kubeflow: Kubeflow, path: Path, state: str, status: int) -> None:
    kubeflow.states = ["PENDING", "RUNNING", state]
    kubeflow.workflows = [Workflow().as_json()]

    assert submitted(kubeflow, path, "--wait").exit_code == status


def test_a_run_that_somebody_ended_is_told_from_a_failed_one(kubeflow: Kubeflow, path: Path) -> None:
    """Kubeflow gives its Workflow no more time, and calls it failed in the end."""
    kubeflow.states = ["RUNNING", "CANCELING", "FAILED"]
    ended = Workflow(terminated=True).failed("image-ingest", "Step exceeded its deadline")
    kubeflow.workflows = [Workflow().running("image-ingest").as_json(), ended.as_json()]

    result = submitted(kubeflow, path, "--wait")

    assert result.exit_code == 5
    assert "canceled, " in result.output
    assert "Mend the cause" not in result.output


@pytest.mark.parametrize("trouble", [401, 404])
def test_who_is_no_longer_let_in_cannot_say_that_the_run_failed(kubeflow: Kubeflow, path: Path, trouble: int) -> None:
    kubeflow.states, kubeflow.workflows = ["RUNNING"], [Workflow().running("image-ingest").as_json()]
    kubeflow.troubles = {3: trouble}

    result = submitted(kubeflow, path, "--wait")

    assert result.exit_code == 4
    assert f"No longer watched; the run may go on: {kubeflow.url}/#/runs/details/r0" in result.output


def test_a_log_that_could_not_be_read_at_once_is_read_at_the_end(
    kubeflow: Kubeflow, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = finished(0, kubeflow)
    logs, kubeflow.logs = kubeflow.logs, {}
    kubeflow.states, kubeflow.workflows = ["RUNNING", "SUCCEEDED"], [done.as_json()]
    monkeypatch.setattr("time.sleep", lambda seconds: kubeflow.logs.update(logs))

    assert submitted(kubeflow, path, "--wait").exit_code == 3


def test_a_model_that_is_not_good_enough_has_a_status_of_its_own(kubeflow: Kubeflow, path: Path) -> None:
    kubeflow.states = ["SUCCEEDED"]
    kubeflow.workflows = [finished(0, kubeflow).as_json()]

    result = submitted(kubeflow, path, "--wait")

    assert result.exit_code == 3
    assert "not pushed" in result.output


def test_a_cached_push_says_that_it_tells_nothing(kubeflow: Kubeflow, path: Path) -> None:
    workflow = Workflow()
    for task in (*BEFORE_TRAINER, "trainer", *BEHIND_TRAINER):
        workflow.cached(task)
    kubeflow.states, kubeflow.workflows = ["SUCCEEDED"], [workflow.as_json()]

    result = submitted(kubeflow, path, "--wait")

    assert result.exit_code == 0
    assert "No log tells whether the model was pushed" in result.output


def test_a_failed_task_is_told_by_the_last_word_of_its_log(kubeflow: Kubeflow, path: Path) -> None:
    error = ValueError("'/data' has no folder train; give data.layout")
    kubeflow.logs[pod_name("image-ingest")] = (
        f"Traceback (most recent call last):\n  …\n{log_lines.failed(error)}\n"
        'time="2026-08-01T10:00:00.000Z" level=info msg="sub-process exited" argo=true error="exit status 1"\n'
        "F0801 10:00:00.000000       7 main.go:55] failed to execute component: exit status 1\n"
    )
    kubeflow.states = ["FAILED"]
    kubeflow.workflows = [Workflow().failed("image-ingest").as_json()]

    result = submitted(kubeflow, path, "--wait")

    assert result.exit_code == 1
    assert (
        "ImageIngest failed: ValueError: '/data' has no folder train; give data.layout / Error (exit code 1)\n"
        f"Log: kubectl --namespace kubeflow logs {pod_name('image-ingest')} --container main\n"
    ) in result.output
    assert "submit the file again" in result.output


@pytest.mark.parametrize("way", ["pages", "api", "kubernetes"])
def test_a_log_is_read_by_whichever_way_is_open(
    kubeflow: Kubeflow, path: Path, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": kubeflow.url}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "kubeconfig"))
    kubeflow.logs[pod_name("image-ingest")] = log_lines.failed(ValueError("no images"))
    kubeflow.logs_by, kubeflow.states = way, ["FAILED"]
    kubeflow.workflows = [Workflow().failed("image-ingest").as_json()]

    assert "ImageIngest failed: ValueError: no images" in submitted(kubeflow, path, "--wait").output


def test_a_pod_that_was_killed_is_told_by_kubernetes_and_its_last_lines(kubeflow: Kubeflow, path: Path) -> None:
    kubeflow.logs[pod_name("trainer")] = "epoch 1/20\nepoch 2/20\nI0801 10:00:00.000000  7 main.go:1] x\n"
    kubeflow.states = ["FAILED"]
    kubeflow.workflows = [up_to_trainer().failed("trainer", "OOMKilled (exit code 137)").as_json()]

    result = submitted(kubeflow, path, "--wait")

    assert "epoch 2/20 / OOMKilled (exit code 137)" in result.output
    assert "raise kubeflow.components.Trainer.memory" in result.output


def test_a_retry_is_shown_as_another_attempt(kubeflow: Kubeflow, path: Path) -> None:
    kubeflow.states = ["RUNNING", "RUNNING", "FAILED"]
    attempts = (("Running",), ("Failed", "Running"), ("Failed", "Failed"))
    kubeflow.workflows = [up_to_trainer().retried("trainer", *phases).as_json() for phases in attempts]

    rows = rows_of(submitted(kubeflow, path, "--wait"))

    shown = [row for row in rows if row.startswith("Trainer ")]
    assert shown[:2] == ["Trainer running", "Trainer running attempt 2, after: Error (exit code 1)"]
    assert shown[-1] == "Trainer failed in attempt 2: Error (exit code 1)"


def test_a_vanished_pod_without_a_log_is_told_by_argo(kubeflow: Kubeflow, path: Path) -> None:
    kubeflow.states = ["FAILED"]
    kubeflow.workflows = [up_to_trainer().failed("trainer", "pod deleted", "Error").as_json()]

    assert "Trainer failed: pod deleted\n" in submitted(kubeflow, path, "--wait").output


@pytest.mark.parametrize("way", ["status", "wait"])
def test_a_pod_that_was_lost_is_told_while_the_next_one_runs(kubeflow: Kubeflow, path: Path, way: str) -> None:
    submitted(kubeflow, path)
    kubeflow.states = ["RUNNING"]
    kubeflow.workflows = [Workflow(stock=True).again("trainer", "Error", "Running").as_json()]

    result = status(kubeflow, "r0", *(["--wait", "--timeout", "1s"] if way == "wait" else []))

    assert "attempt 2, after: pod deleted\n" in result.output


def test_a_pod_that_cannot_start_is_named_once_while_it_waits(kubeflow: Kubeflow, path: Path) -> None:
    kubeflow.states = ["RUNNING", "RUNNING", "RUNNING", "FAILED"]
    message = 'ImagePullBackOff: Back-off pulling image "registry/affect:2"'
    kubeflow.workflows = [Workflow().pending("image-ingest", seconds, message).as_json() for seconds in (30, 360, 370)]
    ended = Workflow(terminated=True).failed("image-ingest", "Step exceeded its deadline")
    kubeflow.workflows.append(ended.as_json())

    result = submitted(kubeflow, path, "--wait")

    note = (
        f"ImageIngest: pending 6 min ({message}); see the events of its pod: kubectl --namespace kubeflow describe pod "
    )
    assert result.output.count(note) == 1
    assert f"{note}{pod_name('image-ingest')}\n" in result.output
    assert result.exit_code == 5


def test_a_run_that_release_217_may_retry_as_a_whole_is_followed_to_its_end(kubeflow: Kubeflow, path: Path) -> None:
    """Its own ConfigMap has Argo retry everything, so that nodes have other names."""
    begun = Workflow(stock=True).running("data-digest", 5)
    kubeflow.states = ["RUNNING", "FAILED"]
    kubeflow.workflows = [begun.as_json(), Workflow(stock=True).done("data-digest").failed("image-ingest").as_json()]
    kubeflow.logs[pod_name("image-ingest", stock=True)] = log_lines.failed(ValueError("no images"))

    result = submitted(kubeflow, path, "--wait")

    assert "DataDigest running" in rows_of(result)
    assert "ImageIngest failed: ValueError: no images / Error (exit code 1)" in result.output
    assert result.exit_code == 1


@pytest.mark.parametrize("stock", [False, True])
def test_a_run_whose_first_pod_fails_is_told_by_its_driver(kubeflow: Kubeflow, path: Path, stock: bool) -> None:
    workflow = Workflow(stock=stock).not_begun("Failed", "main: Error (exit code 1)")
    [pod] = [
        f"{NAME}-{node['templateName']}-{node['id'].rpartition('-')[2]}"
        for node in workflow.nodes.values()
        if node["type"] == "Pod"
    ]
    kubeflow.logs[pod] = "F0801 10:00:00.000000  7 main.go:127] KFP driver: connection refused\n"
    kubeflow.states, kubeflow.workflows = ["FAILED"], [workflow.as_json()]

    result = submitted(kubeflow, path, "--wait")

    assert result.exit_code == 1
    assert "root-driver failed 300.0 s" in rows_of(result)
    assert "root-driver failed: KFP driver: connection refused / Error (exit code 1)\n" in result.output


@pytest.mark.parametrize(("terminated", "is_told"), [(False, True), (True, False)])
def test_a_run_that_argo_refuses_is_told_in_its_words(
    kubeflow: Kubeflow, path: Path, terminated: bool, is_told: bool
) -> None:
    workflow = Workflow(terminated=terminated).as_mapping()
    workflow["status"] = {"phase": "Failed", "message": "invalid spec: templates.entrypoint"}
    kubeflow.states, kubeflow.workflows = ["FAILED"], [json.dumps(workflow)]

    result = submitted(kubeflow, path, "--wait")

    assert ("Kubeflow says: invalid spec: templates.entrypoint\n" in result.output) == is_told


def test_waiting_gives_up_when_its_time_is_up(kubeflow: Kubeflow, path: Path) -> None:
    kubeflow.states, kubeflow.workflows = ["RUNNING"], [Workflow().running("image-ingest").as_json()]

    result = submitted(kubeflow, path, "--wait", "--timeout", "1s")

    assert result.exit_code == 4
    assert f"the run goes on: {kubeflow.url}/#/runs/details/r0" in result.output


def test_who_stops_watching_does_not_stop_the_run(
    kubeflow: Kubeflow, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    kubeflow.states, kubeflow.workflows = ["RUNNING"], [Workflow().running("image-ingest").as_json()]
    monkeypatch.setattr("time.sleep", interrupt)

    result = submitted(kubeflow, path, "--wait")

    assert result.exit_code == 4
    assert f"the run goes on: {kubeflow.url}/#/runs/details/r0" in result.output


@pytest.mark.parametrize("named", ["r0", "latest", "link"])
def test_a_run_is_followed_again_after_its_submit_has_ended(kubeflow: Kubeflow, path: Path, named: str) -> None:
    link = submitted(kubeflow, path).output.splitlines()[1]
    kubeflow.states = ["RUNNING", "SUCCEEDED"]
    kubeflow.workflows = [up_to_trainer().running("trainer").as_json(), finished(1, kubeflow).as_json()]

    result = status(kubeflow, link if named == "link" else named, "--wait")

    assert result.exit_code == 0, result.output
    assert "resnet18, eval accuracy 0.988" in result.output


def test_one_look_shows_what_has_not_begun_too(kubeflow: Kubeflow, path: Path) -> None:
    submitted(kubeflow, path)
    kubeflow.states, kubeflow.workflows = ["RUNNING"], [up_to_trainer().running("trainer", 75).as_json()]

    result = status(kubeflow, "r0")
    rows = json.loads(status(kubeflow, "r0", "--json").stdout)

    assert result.exit_code == 0
    assert {"Trainer running", "Evaluator waiting"} <= set(rows_of(result))
    assert [row["node"] for row in rows][:2] == ["DataDigest", "ImageIngest"]
    assert {row["state"] for row in rows} == {"done", "running", "waiting"}


def test_a_release_without_v1beta1_is_read_by_its_own_tasks(kubeflow: Kubeflow, path: Path) -> None:
    submitted(kubeflow, path)
    made = {"type": "RUNTIME", "create_time": "2026-08-01T10:00:00Z", "end_time": "2026-08-01T10:01:00Z"}
    kubeflow.states = ["FAILED"]
    kubeflow.tasks = [
        {**made, "name": "image-ingest", "state": "CACHED"},
        {**made, "name": "trainer", "state": "FAILED", "status_metadata": {"message": "exit status 1"}},
    ]

    result = status(kubeflow, "r0")

    assert result.exit_code == 1
    assert {"ImageIngest cached 60.0 s", "Trainer failed 60.0 s", "Trainer failed: exit status 1"} <= set(
        rows_of(result)
    )


def test_a_deleted_pipeline_leaves_what_has_begun(kubeflow: Kubeflow) -> None:
    kubeflow.states, kubeflow.workflows = ["RUNNING"], [Workflow().running("image-ingest", 7).as_json()]

    assert "ImageIngest running" in rows_of(status(kubeflow, "r9"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["r0", "--timeout", "5m"], "--timeout is how long --wait may take"),
        (["r0", "--wait", "--timeout", "soon"], "a duration is a number with s, m or h behind it"),
        (["r0", "--wait", "--json"], "--json shows one moment"),
        (["latest"], "has no runs"),
        (["my run"], "doesn't have it (404)"),
    ],
)
def test_bad_usage_is_one_line(kubeflow: Kubeflow, arguments: list[str], message: str) -> None:
    result = status(kubeflow, *arguments)

    assert result.exit_code in (1, 2)
    assert message in result.output.splitlines()[-1]
