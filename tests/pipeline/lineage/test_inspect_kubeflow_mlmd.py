"""`affect inspect --mlmd grpc://…` over what Kubeflow's driver and launcher write, read through a real gRPC server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from driver_records import FIGURES, Driver
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb
from ml_metadata_server import served

from pipeline.cli import main
from pipeline.lineage.runs import artifact_rows
from pipeline.lineage.store import Artifact

FIRST, SECOND = "1d1e", "2d2e"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[metadata_store.MetadataStore, str]]:
    with served(tmp_path / "metadata.db") as (store, port):
        yield store, f"grpc://127.0.0.1:{port}"


@pytest.fixture
def address(server: tuple[metadata_store.MetadataStore, str]) -> str:
    """Two runs: one, and one that trains for longer on data from the cache."""
    store, address = server
    driver = Driver(store)
    driver.run(FIRST, {"epochs": 20.0})
    driver.run(SECOND, {"epochs": 50.0}, cached=("image-ingest",))
    return address


def call(address: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["inspect", *arguments, "--mlmd", address])


def rows(address: str, *arguments: str) -> list[dict[str, Any]]:
    result = call(address, *arguments, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert isinstance(found, list)
    return found


def test_a_run_has_its_state_counts_and_figures(address: str) -> None:
    second, first = rows(address, "runs")

    assert (first["name"], first["state"], first["executed"], first["cached"]) == (FIRST, "succeeded", 5, 0)
    assert (second["name"], second["state"], second["executed"], second["cached"]) == (SECOND, "succeeded", 4, 1)
    assert (first["accuracy"], first["blessed"], first["pushed"]) == (0.9, True, "17")


@pytest.mark.parametrize(
    ("last", "state", "expected"),
    [
        ("trainer", pb.Execution.RUNNING, "running"),
        ("trainer", pb.Execution.FAILED, "failed"),
        ("trainer", pb.Execution.COMPLETE, "running"),  # between two tasks nothing runs
        ("report", pb.Execution.COMPLETE, "succeeded"),
    ],
)
def test_a_runs_state_is_that_of_its_tasks(
    server: tuple[metadata_store.MetadataStore, str], last: str, state: Any, expected: str
) -> None:
    store, address = server
    Driver(store).run(FIRST, {}, last=last, state=state)

    assert [row["state"] for row in rows(address, "runs")] == [expected]


def test_executions_have_the_names_of_a_local_run_and_none_is_the_runs_own(address: str) -> None:
    assert [(row["component"], row["state"]) for row in rows(address, "executions", SECOND)] == [
        ("ImageIngest", "cached"),
        ("Trainer", "complete"),
        ("Evaluator", "complete"),
        ("Pusher", "complete"),
        ("Report", "complete"),
    ]


def test_artifacts_have_the_types_and_properties_of_a_local_run(address: str) -> None:
    found = {row["type"]: row for row in rows(address, "artifacts", FIRST)}

    kubeflows = {"system.HTML", "system.Metrics", "system.Artifact"}
    assert set(found) == {"components.ImageDataset", "Model", "ModelEvaluation", "PushedModel", *kubeflows}
    assert found["ModelEvaluation"]["properties"] == {"accuracy": 0.9, "blessed": 1.0}
    [pushed, *_] = rows(address, "artifacts", "--type", "PushedModel")
    assert pushed["uri"].endswith(f"{SECOND}/pusher/5f0c/pushed_model")
    assert "images=2527" in call(address, "artifacts", "--type", "ImageDataset").output.replace("\n", "")


def test_lineage_goes_from_the_source_folder_to_the_report(address: str) -> None:
    [model] = [row["id"] for row in rows(address, "artifacts", FIRST) if row["type"] == "Model"]
    above, below = call(address, "lineage", model).output.split("led to:")

    assert "ImageIngest (complete) of s3://faces" in above
    assert "PushedModel" in below
    assert "Report (complete)" in below


def test_show_has_everything_of_one(address: str) -> None:
    [trainer] = [row["id"] for row in rows(address, "executions", FIRST) if row["component"] == "Trainer"]
    found = {row["property"]: row["value"] for row in rows(address, "show", trainer)}

    assert found["component"] == "Trainer"
    assert found["pod_name"] == f"trial-1-{FIRST}"
    assert found["inputs"]["epochs"] == 20


def test_diff_names_the_parameter_that_was_set_and_nothing_that_the_platform_adds(address: str) -> None:
    found = rows(address, "diff", FIRST, SECOND)

    assert {row["name"] for row in found} == {"epochs"}
    assert {(row["first"], row["second"]) for row in found} == {(20, 50)}
    assert found[0]["what"] == "parameter of the run"


def test_diff_has_each_figure_once(
    server: tuple[metadata_store.MetadataStore, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, address = server
    driver = Driver(store)
    driver.run(FIRST, {})
    monkeypatch.setitem(FIGURES, "evaluation", {"accuracy": 0.95, "blessed": 1.0})
    monkeypatch.setitem(FIGURES, "test_metrics", {"test_accuracy": 0.95})
    driver.run(SECOND, {})

    assert rows(address, "diff", FIRST, SECOND) == [
        {"what": "figure", "name": "ModelEvaluation.accuracy", "first": 0.9, "second": 0.95}
    ]


def test_a_matrix_is_in_no_row_of_artifacts() -> None:
    artifact = Artifact(7, "system.ClassificationMetrics", "s3://x", "LIVE", 0, {"classes": 2, "confusionMatrix": {}})

    [row] = artifact_rows([artifact])

    assert row["properties"] == {"classes": 2}


def test_an_id_that_is_no_number_is_in_no_store(address: str) -> None:
    result = call(address, "show", "artifact:5f0c-11")

    assert (result.exit_code, result.output) == (1, "Error: no artifact 5f0c-11 in this store\n")
