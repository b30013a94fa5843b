"""The exit task of a compiled pipeline: its place in the file, and what it tells when it runs."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from argo_workflow import Workflow, pod_name
from click.testing import CliRunner
from compiled import CLUSTER, compiled
from google.protobuf.json_format import ParseDict
from kfp.pipeline_spec import pipeline_spec_pb2
from stand_in import Kubeflow, running
from webhook import SECRET, listening

from pipeline.cli import main
from pipeline.config import ConfigError
from pipeline.kubeflow import exit_notice, log_lines
from pipeline.kubeflow.exit_task import HANDLER, tasks_of
from pipeline.kubeflow.submit import without_cache
from pipeline.kubeflow.task_states import task_names

GOLDEN = Path(__file__).parent / "golden_notice.yaml"
NOTICE = (
    "notify.webhook_env=NOTICE_URL",
    "kubeflow.components.Notice.secret_env=[{secret: hooks, keys: {url: NOTICE_URL}}]",
    "kubeflow.components.Notice.memory=256Mi",
)
ALSO = ("tracking.mlflow.enabled=true", "push.registry=http://model-registry-service.kubeflow:8080")


@pytest.fixture(scope="module")
def documents() -> Sequence[Any]:
    with pytest.MonkeyPatch.context() as patch:
        return compiled(patch, [*CLUSTER[:2], *NOTICE, *ALSO])[1]


@pytest.fixture(scope="module")
def without() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        return compiled(patch, [*CLUSTER[:2], *ALSO])[1][0]


def test_what_the_exit_task_adds_is_the_golden_part(documents: Sequence[Any]) -> None:
    """`REGOLD=1 pytest tests/pipeline/kubeflow` writes the golden file again."""
    spec, platform = documents
    handler = {key: value for key, value in spec["components"][f"comp-{HANDLER}"].items() if key != "dag"}
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    found = {
        "root": spec["root"],
        "handler": handler,
        "component": spec["components"]["comp-notice"],
        "executor": spec["deploymentSpec"]["executors"]["exec-notice"],
        "platform": executors["exec-notice"],
        "tracker": tasks_of(spec)["run-tracker"],
        "registration": tasks_of(spec)["model-registration"],
    }
    text = yaml.safe_dump(found)
    if os.environ.get("REGOLD"):
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")


def test_the_file_is_kfps_and_the_components_are_as_without(documents: Sequence[Any], without: Any) -> None:
    ParseDict(documents[0], pipeline_spec_pb2.PipelineSpec())

    found, expected = tasks_of(documents[0]), tasks_of(without)
    assert expected == without["root"]["dag"]["tasks"]
    assert {name for name in expected if found[name] != expected[name]} == {"report"}  # which shows the options
    assert found.keys() == expected.keys()
    assert task_names(documents[0]) == task_names(without)


def test_what_tells_others_is_never_cached_and_submit_can_switch_the_rest_off(documents: Sequence[Any]) -> None:
    tasks = tasks_of(documents[0])
    assert tasks["pusher"]["cachingOptions"] == {"enableCache": True}
    assert tasks["run-tracker"]["cachingOptions"] == tasks["model-registration"]["cachingOptions"] == {}

    off = next(yaml.safe_load_all(without_cache(yaml.safe_dump_all(documents))))
    assert not any(task["cachingOptions"] for task in tasks_of(off).values())


def test_it_is_submitted_as_any_other(kubeflow: Kubeflow, documents: Sequence[Any], tmp_path: Path) -> None:
    file = tmp_path / "affect.yaml"
    file.write_text(yaml.safe_dump_all(documents))
    line = ["submit", str(file), "--host", kubeflow.url, "--again", "Trainer", "--param"]

    good, bad = (CliRunner().invoke(main, [*line, f"epochs={epochs}"]) for epochs in (3, 0))

    assert good.exit_code == 0, good.output
    assert kubeflow.runs[0]["runtime_config"]["parameters"] == {"epochs": 3}
    assert "parameter epochs must be an integer from 1 to" in bad.output


def test_an_address_that_everyone_could_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"name a variable by notify\.webhook_env") as raised:
        compiled(monkeypatch, [f"notify.webhook=https://hooks.example/{SECRET}"])
    assert SECRET not in str(raised.value)

    with pytest.raises(ConfigError, match=r"nothing fills that variable: add it to kubeflow\.components\.Notice"):
        compiled(monkeypatch, ["notify.webhook_env=NOTICE_URL"])


@pytest.fixture
def kubeflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Kubeflow]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(exit_notice, "_PATIENCE", 0.5)
    with running(Kubeflow(states=["RUNNING"], logs_by="api")) as found:
        yield found


def noticed(kubeflow: Kubeflow, documents: Sequence[Any], workflow: Workflow, host: str | None = None) -> Any:
    """What the webhook is sent by the exit task of a run with that Workflow."""
    kubeflow.workflows = [workflow._node(f"root.{HANDLER}", "DAG", "Running", 600).as_json()]
    kubeflow.versions.append({"pipeline_id": "p0", "pipeline_version_id": "v0", "documents": list(documents)})
    version = {"pipeline_id": "p0", "pipeline_version_id": "v0"}
    kubeflow.runs.append({"run_id": "r0", "display_name": "nightly", "pipeline_version_reference": version})
    with listening() as hook, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NOTICE_URL", hook.url)
        exit_notice.main(["--run", "r0", "--webhook-env", "NOTICE_URL", "--host", host or kubeflow.url])
    [message] = hook.messages
    return message


def said(kubeflow: Kubeflow, task: str, **outputs: Any) -> None:
    made = {name: {"artifacts": [{"metadata": values}]} for name, values in outputs.items()}
    kubeflow.logs[pod_name(f"{HANDLER}.{task}")] = f"{log_lines.made(made)}\ndone\n"


def all_done(documents: Sequence[Any]) -> Workflow:
    workflow = Workflow()
    for task in task_names(documents[0]):
        workflow.done(f"{HANDLER}.{task}")
    return workflow


def test_it_tells_of_a_push_with_figures_and_the_reports_address(kubeflow: Kubeflow, documents: Sequence[Any]) -> None:
    said(kubeflow, "evaluator", evaluation={"accuracy": 0.9, "macro_f1": 0.8})
    said(kubeflow, "pusher", pushed_model={"pushed": 1, "pushed_destination": "s3://models/7"})
    said(kubeflow, "report", report={"place": "minio://mlpipeline/v2/report"})

    message = noticed(kubeflow, documents, all_done(documents))

    assert (message["state"], message["run"], message["model"]) == ("succeeded", "nightly", "s3://models/7")
    assert message["figures"] == {"test_accuracy": 0.9, "test_macro_f1": 0.8}
    assert message["report"] == "minio://mlpipeline/v2/report/index.html"


def test_it_tells_of_a_model_that_was_not_blessed(kubeflow: Kubeflow, documents: Sequence[Any]) -> None:
    said(kubeflow, "pusher", pushed_model={"pushed": 0})

    assert noticed(kubeflow, documents, all_done(documents))["state"] == "not blessed"


def test_it_tells_the_first_failed_component_and_its_cause(kubeflow: Kubeflow, documents: Sequence[Any]) -> None:
    workflow = Workflow().done(f"{HANDLER}.data-digest").failed(f"{HANDLER}.image-ingest")
    for task in task_names(documents[0])[2:]:
        workflow.omitted(f"{HANDLER}.{task}")
    kubeflow.logs[pod_name(f"{HANDLER}.image-ingest")] = f"{log_lines.failed(ValueError('no images in s3://x'))}\n"

    message = noticed(kubeflow, documents, workflow)

    assert (message["state"], message["component"]) == ("failed", "ImageIngest")
    assert message["cause"] == "ValueError: no images in s3://x"


def test_it_tells_of_a_run_that_somebody_ended(kubeflow: Kubeflow, documents: Sequence[Any]) -> None:
    workflow = Workflow(terminated=True).failed(f"{HANDLER}.data-digest", "workflow shutdown with strategy: Terminate")

    assert noticed(kubeflow, documents, workflow)["state"] == "interrupted"


def test_it_claims_no_success_where_the_api_never_hears_of_the_end(
    kubeflow: Kubeflow, documents: Sequence[Any]
) -> None:
    workflow = Workflow()
    for task in task_names(documents[0])[:-1]:
        workflow.done(f"{HANDLER}.{task}")

    assert noticed(kubeflow, documents, workflow)["state"] == "unknown"


def test_it_tells_even_where_kubeflow_cant_be_asked_and_never_fails(
    kubeflow: Kubeflow, documents: Sequence[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = noticed(kubeflow, documents, Workflow(), host="http://127.0.0.1:1")
    assert (message["state"], message["run"]) == ("unknown", "r0")
    assert "can't reach http://127.0.0.1:1" in message["cause"]

    monkeypatch.setenv("NOTICE_URL", SECRET)
    exit_notice.main(["--run", "r0", "--webhook-env", "NOTICE_URL", "--host", kubeflow.url])
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == (
        "the notice wasn't sent: notify.webhook_env: the value of NOTICE_URL must be an http:// or https:// URL"
    )
