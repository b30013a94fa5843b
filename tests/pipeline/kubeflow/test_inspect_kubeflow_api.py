"""`affect inspect --kubeflow URL` over real HTTP against a stand-in that answers in both forms of the API."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from argo_workflow import Workflow
from click.testing import CliRunner, Result
from driver_records import FIGURES
from recorded_runs import Recorded
from stand_in import Kubeflow, running

from pipeline.cli import main

FIRST, SECOND = "1d1e", "2d2e"
ELSEWHERE = (
    "of this release artifacts, figures and what came from the cache are in ML Metadata: see --mlmd grpc://host:port"
)


@pytest.fixture(params=[True, False], ids=["later", "2.17"])
def kubeflow(request: pytest.FixtureRequest) -> Iterator[Kubeflow]:
    """Two runs: one, and one that trains for longer on data from the cache."""
    with running(Kubeflow(recorded=two_runs(later=request.param))) as found:
        yield found


@pytest.fixture
def later() -> Iterator[Kubeflow]:
    """The same, of the release that has artifacts in its API."""
    with running(Kubeflow(recorded=two_runs(later=True))) as found:
        yield found


def two_runs(later: bool) -> Recorded:
    recorded = Recorded(later)
    recorded.add(FIRST, {"epochs": 20})
    recorded.add(SECOND, {"epochs": 50}, cached=("image-ingest",))
    return recorded


def call(kubeflow: Kubeflow, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["inspect", *arguments, "--kubeflow", kubeflow.url])


def rows(kubeflow: Kubeflow, *arguments: str) -> list[dict[str, Any]]:
    result = call(kubeflow, *arguments, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert isinstance(found, list)
    return found


def test_runs_have_states_and_times(kubeflow: Kubeflow) -> None:
    second, first = rows(kubeflow, "runs")

    assert (first["id"], first["name"], first["state"]) == (FIRST, f"facial-affect {FIRST}", "succeeded")
    assert (first["started"], first["seconds"]) == (1_700_000_000_000, 300)
    assert second["id"] == SECOND
    assert [row["id"] for row in rows(kubeflow, "runs", "--limit", "1")] == [SECOND]


def test_runs_have_figures_and_what_was_cached(later: Kubeflow) -> None:
    second, first = rows(later, "runs")

    assert (first["accuracy"], first["blessed"], first["pushed"]) == (0.9, True, "17")
    assert (second["executed"], second["cached"], second["failed"]) == (4, 1, 0)


@pytest.mark.parametrize(("state", "expected"), [("RUNNING", "running"), ("FAILED", "failed")])
def test_executions_are_the_components_alone(kubeflow: Kubeflow, state: str, expected: str) -> None:
    assert kubeflow.recorded is not None
    kubeflow.recorded.add("3d3e", {}, last="trainer", state=state)

    found = [(row["component"], row["state"], row["seconds"]) for row in rows(kubeflow, "executions")]

    assert found == [("ImageIngest", "complete", 45), ("Trainer", expected, 45 if state == "FAILED" else 0)]
    run = rows(kubeflow, "runs")[0]
    assert run["state"] == expected
    assert run["seconds"] >= 0


@pytest.mark.parametrize(("terminated", "expected"), [(True, "canceled"), (False, "failed")])
def test_a_run_that_somebody_ended_is_canceled(kubeflow: Kubeflow, terminated: bool, expected: str) -> None:
    assert kubeflow.recorded is not None
    kubeflow.recorded.add("3d3e", {}, last="trainer", state="FAILED")
    kubeflow.workflows = [Workflow(terminated=terminated).failed("trainer", "Step exceeded its deadline").as_json()]

    assert [row["state"] for row in rows(kubeflow, "runs")] == [expected, "succeeded", "succeeded"]
    assert [path for path, _ in kubeflow.asked if "v1beta1" in path] == ["/apis/v1beta1/runs/3d3e"]


@pytest.mark.parametrize(
    ("driver", "expected"), [("RUNNING", "running"), ("SUCCEEDED", "running"), ("FAILED", "failed")]
)
def test_a_task_has_its_drivers_state_until_it_has_a_node_of_its_own(driver: str, expected: str) -> None:
    recorded = Recorded(later=False)
    recorded.add(FIRST, {}, last="trainer", state="RUNNING")
    nodes = recorded.runs[0]["run_details"]["task_details"]
    [task] = [node for node in nodes if node["display_name"] == "trainer"]
    [before] = [node for node in nodes if node["display_name"] == "trainer-driver"]
    before["state"] = driver
    if driver == "FAILED":
        task["state"] = "SKIPPED"
    else:
        nodes.remove(task)

    with running(Kubeflow(recorded=recorded)) as kubeflow:
        assert [row["state"] for row in rows(kubeflow, "executions")] == ["complete", expected]


def test_a_release_with_ml_metadata_says_where_artifacts_are(kubeflow: Kubeflow) -> None:
    assert kubeflow.recorded is not None
    expected = "" if kubeflow.recorded.later else f"{ELSEWHERE}\n"

    assert call(kubeflow, "runs").stderr == expected
    result = call(kubeflow, "artifacts", "--type", "Model")
    assert result.exit_code == (0 if kubeflow.recorded.later else 1)
    assert call(kubeflow, "lineage", "artifact:1").exit_code == 1


def test_artifacts_have_the_types_and_properties_of_a_local_run(later: Kubeflow) -> None:
    found = {row["type"]: row for row in rows(later, "artifacts", FIRST)}

    shown = {"system.HTML", "system.Metrics"}
    assert set(found) == {"components.ImageDataset", "Model", "ModelEvaluation", "PushedModel", *shown}
    assert found["system.Metrics"]["properties"] == {"test_accuracy": 0.9}
    assert found["ModelEvaluation"]["properties"] == {"accuracy": 0.9, "blessed": 1.0}
    assert [row["id"] for row in rows(later, "artifacts", "--type", "ImageDataset")] == [
        f"artifact:{FIRST}-image-ingest-images"
    ]
    assert [row["id"] for row in rows(later, "artifacts", "--limit", "1")] == [f"artifact:{SECOND}-report-report"]


def test_lineage_goes_from_the_source_folder_to_both_reports(later: Kubeflow) -> None:
    images = f"artifact:{FIRST}-image-ingest-images"
    above, below = call(later, "lineage", images).stdout.split("led to:")

    assert "ImageIngest (complete) of s3://faces" in above
    assert f"artifact:{FIRST}-report-report" in below
    assert f"artifact:{SECOND}-report-report" in below  # from the cache
    mermaid = call(later, "lineage", images, "--format", "mermaid").stdout
    assert "  artifact1d1e_image_ingest_images -->|images| execution1d1e_trainer" in mermaid


def test_show_has_everything_of_one(later: Kubeflow) -> None:
    execution = {row["property"]: row["value"] for row in rows(later, "show", f"execution:{FIRST}-trainer")}
    artifact = {row["property"]: row["value"] for row in rows(later, "show", f"artifact:{FIRST}-trainer-model")}

    assert (execution["component"], execution["state"], execution["epochs"]) == ("Trainer", "complete", 20)
    assert execution["makes"] == f"artifact:{FIRST}-trainer-model [model]"
    assert artifact["made by"] == f"execution:{FIRST}-trainer [model]"


def test_diff_has_each_figure_once(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = Recorded(later=True)
    recorded.add(FIRST, {})
    monkeypatch.setitem(FIGURES, "evaluation", {"accuracy": 0.95, "blessed": 1.0})
    monkeypatch.setitem(FIGURES, "test_metrics", {"test_accuracy": 0.95})
    recorded.add(SECOND, {})

    with running(Kubeflow(recorded=recorded)) as kubeflow:
        found = rows(kubeflow, "diff", FIRST, SECOND)

    assert found == [{"what": "figure", "name": "ModelEvaluation.accuracy", "first": 0.9, "second": 0.95}]


def test_diff_names_the_parameter_that_was_set(kubeflow: Kubeflow) -> None:
    found = rows(kubeflow, "diff", FIRST, SECOND)

    assert {(row["name"], row["first"], row["second"]) for row in found} == {("epochs", 20, 50)}
    assert found[0]["what"] == "parameter of the run"


def test_many_runs_are_read_page_by_page(later: Kubeflow) -> None:
    assert later.recorded is not None
    for number in range(250):
        later.recorded.add(f"many{number}", {}, last="image-ingest")

    assert len(rows(later, "executions", FIRST)) == 5
    assert [query["page_size"] for path, query in later.asked if path == "/runs"] == [["100"]] * 3


def test_a_namespace_and_a_token_are_handed_on(later: Kubeflow, monkeypatch: pytest.MonkeyPatch) -> None:
    later.namespaces, later.token = ("mine",), "secret"
    monkeypatch.setenv("TOKEN", "secret")

    assert "give a token by --token-env" in call(later, "runs").output
    assert "requires a namespace" in call(later, "runs", "--token-env", "TOKEN").output
    assert "namespace theirs (403" in call(later, "runs", "--token-env", "TOKEN", "--namespace", "theirs").output
    assert len(rows(later, "runs", "--token-env", "TOKEN", "--namespace", "mine")) == 2


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["executions", "99"], 1, "no run 99. The latest are 2d2e, 1d1e"),
        (["show", "artifact:99"], 1, "no artifact 99"),
        (["show", "execution:none"], 1, "no execution none"),
        (["runs", "--mlmd", "grpc://localhost:8080"], 2, "give one of the two"),
        (["runs", "--token-env", "NO_SUCH_VARIABLE"], 2, "the variable NO_SUCH_VARIABLE is empty"),
    ],
)
def test_what_is_wrong_is_one_line(later: Kubeflow, arguments: list[str], status: int, message: str) -> None:
    result = call(later, *arguments)

    assert result.exit_code == status
    assert message in result.output.splitlines()[-1]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("localhost:8080", "--kubeflow must begin with http:// or https://. Received: 'localhost:8080'"),
        ("http://127.0.0.1:9", "can't reach http://127.0.0.1:9"),
    ],
)
def test_an_address_that_is_none_is_one_line(url: str, message: str) -> None:
    assert message in CliRunner().invoke(main, ["inspect", "--kubeflow", url]).output.splitlines()[-1]


def test_options_of_kubeflow_need_its_address() -> None:
    result = CliRunner().invoke(main, ["inspect", "runs", "--namespace", "mine"])

    assert result.exit_code == 2
    assert "--namespace, and what lets in, belong to --kubeflow" in result.output


def test_asking_needs_neither_tfx_nor_tensorflow_nor_kfp(later: Kubeflow) -> None:
    code = (
        "import sys; from pipeline.cli import main\n"
        f"main(['inspect', '--kubeflow', '{later.url}', '--json'], standalone_mode=False)\n"
        "print([name for name in ('tfx', 'tensorflow', 'apache_beam', 'kfp') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.endswith("\n[]\n")
