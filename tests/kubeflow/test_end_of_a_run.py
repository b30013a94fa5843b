"""The exit task through Kubeflow's driver and launcher. A stand-in: the API that it asks."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from argo_workflow import Workflow, pod_name
from backend import Backend
from stand_in import Kubeflow, running
from webhook import Webhook, listening
from workflow import Run

from pipeline.kubeflow import log_lines
from pipeline.kubeflow.exit_task import HANDLER

pytestmark = [pytest.mark.kubeflow, pytest.mark.timeout(600)]

DIGEST = f"{HANDLER}.data-digest"


@pytest.fixture
def hook(backend: Backend) -> Iterator[Webhook]:
    with listening() as found:
        backend.cluster.secrets["hooks"] = {"url": found.url}
        yield found


@pytest.fixture
def kubeflow(backend: Backend) -> Iterator[Kubeflow]:
    with running(Kubeflow(states=["RUNNING"], logs_by="api")) as found:
        yield found


@pytest.fixture
def one_task(
    kubeflow: Kubeflow, hook: Webhook, backend: Backend, compiled: Callable[..., Path], data: Path, tmp_path: Path
) -> Callable[..., Run]:
    """Gives a run of the first task, its successors cut off, whose end the webhook is told of."""

    def run(workflow: Workflow, **parameters: str) -> Run:
        notice = (
            "notify.webhook_env=NOTICE_URL",
            f"notify.host={kubeflow.url}",
            "kubeflow.components.Notice.secret_env=[{secret: hooks, keys: {url: NOTICE_URL}}]",
        )
        found = Run(
            backend, compiled(*notice), tmp_path / "logs", parameters, mounts={"faces": data}, run_id=uuid.uuid4().hex
        )
        tasks = found.spec["components"][f"comp-{HANDLER}"]["dag"]["tasks"]
        found.spec["components"][f"comp-{HANDLER}"]["dag"]["tasks"] = {"data-digest": tasks["data-digest"]}
        version = {"pipeline_id": "p0", "pipeline_version_id": "v0"}
        documents = [found.spec, *list(yaml.safe_load_all(found.compiled.read_text("utf-8")))[1:]]
        kubeflow.versions.append({**version, "documents": documents})
        kubeflow.runs.append({"run_id": found.run_id, "display_name": "nightly", "pipeline_version_reference": version})
        kubeflow.workflows = [workflow._node(f"root.{HANDLER}", "DAG", "Running", 600).as_json()]
        return found

    return run


def test_a_run_that_succeeds_is_told_of_behind_its_last_task(one_task: Callable[..., Run], hook: Webhook) -> None:
    run = one_task(Workflow().done(DIGEST))

    assert run.to_its_end(), run.why()

    assert list(run.outcomes) == ["data-digest", "notice"]
    assert "the notice was sent" in run.outcomes["notice"].log.splitlines()
    assert [(message["run"], message["state"]) for message in hook.messages] == [("nightly", "succeeded")]


def test_a_run_that_fails_is_told_of_with_its_cause(
    one_task: Callable[..., Run], hook: Webhook, kubeflow: Kubeflow
) -> None:
    kubeflow.logs[pod_name(DIGEST)] = f"{log_lines.failed(ValueError('no such folder: /data/none'))}\n"
    run = one_task(Workflow().failed(DIGEST), data="/data/none")

    assert not run.to_its_end()

    assert run.outcomes["data-digest"].status
    assert run.outcomes["notice"].status == 0, run.why()
    [message] = hook.messages
    assert (message["state"], message["component"]) == ("failed", "DataDigest"), message
    assert "no such folder: /data/none" in message["cause"]
    assert hook.url not in run.outcomes["notice"].log
