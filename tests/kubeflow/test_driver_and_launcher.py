"""The compiled pipeline through Kubeflow's own driver and launcher, held against local runs with the same options."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest
from backend import Backend
from click.testing import CliRunner
from comparison import Both, assert_same_counts_and_records, assert_same_model_and_metrics
from google.protobuf.json_format import MessageToDict
from ml_metadata.proto import metadata_store_pb2 as mlmd
from workflow import Run

from pipeline.cli import main
from pipeline.kubeflow.report_page import find_page
from pipeline.lineage.mlmd_store import open_store
from pipeline.lineage.runs import find_run

pytestmark = [pytest.mark.kubeflow, pytest.mark.timeout(1800)]

Compile = Callable[..., Path]

# Kubeflow's own, beside a component's outputs: logs, and what its pages show.
KUBEFLOWS = ("system.Artifact", "system.Metrics", "system.ClassificationMetrics")
# Where there is nothing: no model to compare with, and what is pushed lies at the destination.
EMPTY = {("baseline-finder", "model"), ("pusher", "pushed_model")}


def inspected(*arguments: str) -> list[dict[str, Any]]:
    """What `affect inspect` lists."""
    result = CliRunner().invoke(main, ["inspect", *arguments, "--json"])
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


def test_every_task_succeeds_and_every_output_is_in_the_store(first: Both) -> None:
    run = first.run
    tasks = run.spec["root"]["dag"]["tasks"]

    assert {name: outcome.status for name, outcome in run.outcomes.items()} == dict.fromkeys(tasks, 0)
    store = run.backend.files()
    outputs = [
        (name, output)
        for name in tasks
        for output in run.spec["components"][f"comp-{name}"]["outputDefinitions"].get("artifacts", {})
    ]
    assert [one for one in outputs if one not in EMPTY and not store.find(run.artifact(*one))] == []


def test_ml_metadata_has_every_task_complete_with_all_its_inputs(first: Both) -> None:
    store = first.run.backend.store
    [context] = [one for one in store.get_contexts_by_type("system.PipelineRun") if one.name == first.run.run_id]
    executions = {
        one.custom_properties["task_name"].string_value: one for one in store.get_executions_by_context(context.id)
    }

    for name, task in first.run.spec["root"]["dag"]["tasks"].items():
        execution = executions[name]
        assert execution.last_known_state == mlmd.Execution.COMPLETE, name
        events = store.get_events_by_execution_ids([execution.id])
        keys = {event.path.steps[0].key for event in events if event.type == mlmd.Event.INPUT}
        assert keys == set(task.get("inputs", {}).get("artifacts", {}))


def test_counts_and_records_are_those_of_a_local_run(first: Both, tmp_path: Path) -> None:
    assert_same_counts_and_records(first, tmp_path)


def test_weights_and_metrics_are_those_of_a_local_run(first: Both, tmp_path: Path) -> None:
    assert_same_model_and_metrics(first, tmp_path)


def test_the_model_is_at_the_destination_and_known_by_the_same_recipe_and_data_as_a_local_one(first: Both) -> None:
    found, expected = first.pushed, first.local.pushed

    assert first.run.backend.files().exists(f"{first.version}/saved_model.pb")
    assert found["recipe"] == expected["recipe"]
    assert found["data_digest"] == expected["data_digest"]


def test_card_and_blessing_name_artifacts_by_uri(first: Both, tmp_path: Path) -> None:
    card = json.loads((first.fetched("prediction-analysis", "analysis", tmp_path) / "model_card.json").read_text())

    assert card["lineage"]["model"].startswith(f"minio://{first.run.root}/trainer/")
    blessings = first.run.backend.store.get_artifacts_by_type("tfx.ModelBlessing")
    assert card["lineage"]["model"] in [one.custom_properties["current_model"].string_value for one in blessings]


def test_the_report_is_a_page_in_the_store(first: Both) -> None:
    page = first.run.backend.files().cat_file(f"{first.run.artifact('report', 'report')}/index.html")

    assert b"<html" in page


def test_inspect_shows_a_run_as_it_shows_a_local_one(first: Both) -> None:
    there = ("--mlmd", f"grpc://127.0.0.1:{first.run.backend.metadata_port}")
    here = ("--workdir", str(first.local.outputs["Trainer", "model"].parents[3]))
    [found] = [row for row in inspected("runs", *there) if row["name"] == first.run.run_id]
    local = inspected("runs", *here)[-1]  # the oldest
    runs = ((first.run.run_id, there), (str(local["id"]), here))

    equal = ("state", "cached", "failed", "accuracy", "blessed")
    assert {name: found[name] for name in equal} == {name: local[name] for name in equal}
    assert found["pushed"] == first.version.rpartition("/")[2]
    components = [sorted(row["component"] for row in inspected("executions", run, *place)) for run, place in runs]
    assert components[0] == sorted(["DataDigest", *components[1]])
    kinds = [[row["type"] for row in inspected("artifacts", run, "--limit", "100", *place)] for run, place in runs]
    ours = [kind.replace("system.HTML", "components.HtmlReport") for kind in kinds[0] if kind not in KUBEFLOWS]
    assert sorted(ours) == sorted(kinds[1])


def shown(run: Run, kind: str) -> list[dict[str, Any]]:
    """What ML Metadata has of a run's artifacts of a type, as Kubeflow's pages read it."""
    store = run.backend.store
    [context] = [one for one in store.get_contexts_by_type("system.PipelineRun") if one.name == run.run_id]
    found = {one.id: one.custom_properties for one in store.get_artifacts_by_context(context.id)}
    return [
        {name: getattr(value, str(value.WhichOneof("value"))) for name, value in found[one.id].items()}
        for one in store.get_artifacts_by_type(kind)
        if one.id in found
    ]


def test_metrics_and_confusion_matrix_are_in_ml_metadata_as_the_pages_read_them(
    first: Both, again: Run, tmp_path: Path
) -> None:
    results = json.loads((first.fetched("evaluator", "evaluation", tmp_path) / "results.json").read_text())
    training = json.loads((first.fetched("trainer", "model_run", tmp_path) / "training.json").read_text())
    analysis = json.loads((first.fetched("prediction-analysis", "analysis", tmp_path) / "analysis.json").read_text())

    metrics = {one["display_name"]: one for one in shown(first.run, "system.Metrics")}
    assert metrics.keys() == {"training_metrics", "test_metrics"}
    assert metrics["test_metrics"]["test_accuracy"] == pytest.approx(results["candidate"]["accuracy"], abs=1e-6)
    assert metrics["test_metrics"]["test_macro_f1"] == pytest.approx(results["candidate"]["macro_f1"], abs=1e-6)
    assert metrics["training_metrics"]["epochs"] == training["epochs_run"] == 1
    assert metrics["training_metrics"]["eval_accuracy"] == pytest.approx(
        training["history"][0]["val_accuracy"], abs=1e-6
    )
    [matrix] = [MessageToDict(one["confusionMatrix"]) for one in shown(first.run, "system.ClassificationMetrics")]
    assert [row["row"] for row in matrix["struct"]["rows"]] == analysis["test"]["confusion_matrix"]
    assert [one["displayName"] for one in matrix["struct"]["annotationSpecs"]] == analysis["labels"]
    # A run from the cache shows the same.
    assert shown(again, "system.ClassificationMetrics") == shown(first.run, "system.ClassificationMetrics")


def test_the_report_is_found_by_ml_metadata(first: Both) -> None:
    store = open_store(f"grpc://127.0.0.1:{first.run.backend.metadata_port}")
    page = find_page(store, find_run(store, first.run.run_id))

    assert first.run.backend.files().cat_file(page.uri.partition("://")[2]).rstrip().endswith(b"</html>")


def test_inspect_diff_lists_what_was_set_and_what_came_of_it(with_epochs: Both, first: Both) -> None:
    there = ("--mlmd", f"grpc://127.0.0.1:{first.run.backend.metadata_port}")
    found = inspected("diff", first.run.run_id, with_epochs.run.run_id, *there)

    assert {"what": "parameter of the run", "name": "epochs", "first": 1, "second": 2} in found
    assert {row["what"].partition(" ")[0] for row in found} == {"parameter", "figure"}
    assert [row for row in found if "pod" in row["name"] or "execution" in row["name"]] == []


def executed(run: Run) -> set[str]:
    return {name for name, outcome in run.outcomes.items() if outcome.status is not None}


def test_the_same_run_again_executes_nothing_but_the_look_for_changes(again: Run) -> None:
    assert executed(again) == {"data-digest"}
    assert set(again.outcomes) == set(again.spec["root"]["dag"]["tasks"])


def test_the_look_for_changes_has_no_imports_to_wait_for(again: Run) -> None:
    log = again.outcomes["data-digest"].log

    assert "components.data_digest.executor.Executor done" in log
    assert "tensorflow" not in log.lower()


def test_a_model_that_is_gone_is_pushed_again_from_the_cache(first: Both, with_its_model_gone: Run) -> None:
    assert executed(with_its_model_gone) == {"data-digest", "pusher", "report"}
    store = with_its_model_gone.backend.files()
    others = [path for path in store.ls(with_its_model_gone.destination, detail=False) if path != first.version]
    origins = [json.loads(store.cat_file(f"{path}/assets.extra/run.json")) for path in others]
    assert origins.count(first.pushed) == 1


def test_a_changed_image_is_ingested(
    again: Run, backend: Backend, compiled: Compile, data: Path, tmp_path: Path
) -> None:
    changed = tmp_path / "faces"
    shutil.copytree(data, changed)
    image = min(changed.rglob("*.jpg"))
    assert cv2.imwrite(str(image), cv2.imread(str(image))[:, ::-1])
    run = Run(backend, again.compiled, tmp_path / "logs", mounts={"faces": changed})
    data_tasks = {"data-digest", "image-ingest", "split-balance-augment"}
    tasks = run.spec["root"]["dag"]["tasks"]
    run.spec["root"]["dag"]["tasks"] = {name: task for name, task in tasks.items() if name in data_tasks}

    assert run.to_its_end(), run.why()

    assert executed(run) == data_tasks


def test_a_run_with_other_values_takes_the_data_from_the_cache(with_epochs: Both) -> None:
    of_the_model = {"baseline-finder", "trainer", "evaluator", "prediction-analysis", "model-explanation"}
    of_the_model |= {"drift-reference", "pusher", "report"}

    assert executed(with_epochs.run) == {"data-digest", *of_the_model}


def test_epochs_set_for_a_run_are_those_of_a_local_run(with_epochs: Both, tmp_path: Path) -> None:
    training = json.loads((with_epochs.fetched("trainer", "model_run", tmp_path) / "training.json").read_text())
    assert len(training["history"]) == 2
    assert_same_model_and_metrics(with_epochs, tmp_path)
    assert with_epochs.pushed["recipe"] == with_epochs.local.pushed["recipe"]


def test_the_search_finds_what_a_local_one_finds(search: Both, tmp_path: Path) -> None:
    found = search.fetched("tuner", "tuner_results", tmp_path) / "leaderboard.json"
    expected = search.local.outputs["Tuner", "tuner_results"] / "leaderboard.json"

    measured = ("seconds", "images_per_second")
    boards = [
        [{key: value for key, value in row.items() if key not in measured} for row in json.loads(path.read_text())]
        for path in (found, expected)
    ]
    assert boards[0] == boards[1]
    assert [row["architecture"] for row in boards[0] if row["chosen"]] == [boards[0][0]["architecture"]]
    assert_same_model_and_metrics(search, tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("epochs", 2.5, "parameter epochs must be an integer from 1 to 1000000. Received: 2.5"),
        ("epochs", 0, "parameter epochs must be an integer from 1 to 1000000. Received: 0"),
        ("architecture", "vgg", "parameter architecture must be one of resnet18, resnet34, resnet50"),
        ("seed", -1, "parameter seed must be an integer from 0 to 4294967295. Received: -1"),
        ("push_destination", "/models", "parameter push_destination = /models is in no volume of BaselineFinder"),
        ("data", "/data/none", "data: no such folder: /data/none"),
    ],
)
def test_an_impossible_value_fails_the_first_task_with_the_parameters_name(
    name: str, value: Any, message: str, backend: Backend, compiled: Compile, data: Path, tmp_path: Path
) -> None:
    run = Run(backend, compiled(), tmp_path / "logs", {name: value}, {"faces": data})

    assert not run.to_its_end()

    [(task, outcome)] = run.outcomes.items()
    assert task == "data-digest"
    [reason] = [line for line in outcome.log.splitlines() if line.startswith("failed: ")]
    assert message in reason


def test_a_root_at_another_store_works_with_the_config_map_that_compile_prints(
    backend: Backend, compiled: Compile, data: Path, tmp_path: Path
) -> None:
    run = Run(backend, compiled(root="s3://mlpipeline/elsewhere"), tmp_path / "logs", mounts={"faces": data})
    tasks = run.spec["root"]["dag"]["tasks"]
    run.spec["root"]["dag"]["tasks"] = {name: tasks[name] for name in ("data-digest", "image-ingest")}
    tasks["image-ingest"]["cachingOptions"] = {}  # what another root's run has made lies there

    assert run.to_its_end(), run.why()
    assert backend.files().find(run.artifact("image-ingest", "images"))
