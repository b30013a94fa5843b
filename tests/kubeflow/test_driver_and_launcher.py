"""The compiled pipeline through Kubeflow's own driver and launcher, held against local runs with the same options."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from backend import Backend
from ml_metadata.proto import metadata_store_pb2 as mlmd
from workflow import SEARCH, Run

pytestmark = [pytest.mark.kubeflow, pytest.mark.timeout(1800)]

Compile = Callable[..., Path]
Local = Callable[..., Path]


def fetched(run: Run, task: str, output: str, target: Path) -> Path:
    """A task's output, copied from the object store."""
    run.backend.files().get(run.artifact(task, output), str(target), recursive=True)
    return target


def newest(workdir: Path, component: str, output: str) -> Path:
    return max((workdir / "artifacts" / component / output).iterdir(), key=lambda path: int(path.name))


def variables(model: Path) -> dict[str, Any]:
    reader = tf.train.load_checkpoint(str(model / "variables" / "variables"))
    names = [name for name in reader.get_variable_to_shape_map() if name != "_CHECKPOINTABLE_OBJECT_GRAPH"]
    return {name: reader.get_tensor(name) for name in names}


def assert_same_model_and_metrics(run: Run, workdir: Path, folder: Path) -> None:
    theirs = variables(fetched(run, "trainer", "model", folder / "model") / "Format-Serving")
    ours = variables(newest(workdir, "Trainer", "model") / "Format-Serving")
    assert theirs.keys() == ours.keys()
    assert all(np.array_equal(theirs[name], ours[name]) for name in ours)
    results = json.loads((fetched(run, "evaluator", "evaluation", folder / "evaluation") / "results.json").read_text())
    expected = json.loads((newest(workdir, "Evaluator", "evaluation") / "results.json").read_text())
    assert results["candidate"] == expected["candidate"]
    assert results["blessed"] == expected["blessed"] is True
    analysis = fetched(run, "prediction-analysis", "analysis", folder / "analysis") / "analysis.json"
    assert json.loads(analysis.read_text()) == json.loads(
        (newest(workdir, "PredictionAnalysis", "analysis") / "analysis.json").read_text()
    )


def pushed(run: Run) -> dict[str, Any]:
    """What the newest model at the destination was made from."""
    store, place = run.backend.files(), run.root.split("/facial-affect/")[0]
    version = max(store.ls(f"{place}/serving_model", detail=False), key=lambda path: int(path.rsplit("/", 1)[-1]))
    found: dict[str, Any] = json.loads(store.cat_file(f"{version}/assets.extra/run.json"))
    return found


def pushed_locally(workdir: Path) -> dict[str, Any]:
    version = max((workdir / "serving_model").iterdir(), key=lambda path: int(path.name))
    found: dict[str, Any] = json.loads((version / "assets.extra" / "run.json").read_text())
    return found


def test_every_task_succeeds_and_every_output_is_in_the_store(first: Run) -> None:
    tasks = first.spec["root"]["dag"]["tasks"]

    assert {name: outcome.status for name, outcome in first.outcomes.items()} == dict.fromkeys(tasks, 0)
    store = first.backend.files()
    for name in tasks:
        for output in first.spec["components"][f"comp-{name}"]["outputDefinitions"]["artifacts"]:
            # Empty where there is nothing: no model to compare with, none pushed by copy.
            if (name, output) not in (("baseline-finder", "model"), ("pusher", "pushed_model")):
                assert store.find(first.artifact(name, output)), (name, output)


def test_ml_metadata_has_every_task_complete_with_all_its_inputs(first: Run) -> None:
    store = first.backend.store
    [context] = [one for one in store.get_contexts_by_type("system.PipelineRun") if one.name == first.run_id]
    executions = {
        one.custom_properties["task_name"].string_value: one for one in store.get_executions_by_context(context.id)
    }

    for name, task in first.spec["root"]["dag"]["tasks"].items():
        execution = executions[name]
        assert execution.last_known_state == mlmd.Execution.COMPLETE, name
        events = store.get_events_by_execution_ids([execution.id])
        keys = {event.path.steps[0].key for event in events if event.type == mlmd.Event.INPUT}
        assert keys == set(task.get("inputs", {}).get("artifacts", {}))


def test_records_weights_and_metrics_are_those_of_a_local_run(first: Run, local: Local, tmp_path: Path) -> None:
    workdir = local()

    examples = fetched(first, "tf-record-converter", "examples", tmp_path / "examples")
    expected = newest(workdir, "TFRecordConverter", "examples")
    shards = sorted(path.relative_to(expected) for path in expected.rglob("*.gz"))
    assert len(shards) == 3
    for shard in shards:
        assert gzip.decompress((examples / shard).read_bytes()) == gzip.decompress((expected / shard).read_bytes())
    assert_same_model_and_metrics(first, workdir, tmp_path)


def test_a_model_is_known_by_the_same_recipe_and_data_as_a_local_one(first: Run, local: Local) -> None:
    found, expected = pushed(first), pushed_locally(local())

    assert found["recipe"] == expected["recipe"]
    assert found["data_digest"] == expected["data_digest"]


def test_card_and_blessing_name_artifacts_by_uri(first: Run, tmp_path: Path) -> None:
    card = json.loads((fetched(first, "prediction-analysis", "analysis", tmp_path) / "model_card.json").read_text())
    assert card["lineage"]["model"].startswith(f"minio://{first.root}/trainer/")
    [blessing] = first.backend.store.get_artifacts_by_type("tfx.ModelBlessing")
    assert blessing.custom_properties["current_model"].string_value == card["lineage"]["model"]


def test_the_report_is_a_page_in_the_store(first: Run) -> None:
    page = first.backend.files().cat_file(f"{first.artifact('report', 'report')}/index.html")

    assert b"<html" in page


def test_a_second_run_takes_the_data_from_the_cache(with_epochs: Run) -> None:
    executed = {name for name, outcome in with_epochs.outcomes.items() if outcome.status is not None}

    assert executed == {"baseline-finder", "trainer", "evaluator", "prediction-analysis", "pusher", "report"}


def test_epochs_set_for_a_run_are_those_of_a_local_run(with_epochs: Run, local: Local, tmp_path: Path) -> None:
    workdir = local("train.epochs=2", "train.warmup_epochs=1")

    training = json.loads(
        (fetched(with_epochs, "trainer", "model_run", tmp_path / "run") / "training.json").read_text()
    )
    assert len(training["history"]) == 2
    assert_same_model_and_metrics(with_epochs, workdir, tmp_path)
    assert pushed(with_epochs)["recipe"] == pushed_locally(workdir)["recipe"]


def test_the_search_finds_what_a_local_one_finds(search: Run, local: Local, tmp_path: Path) -> None:
    workdir = local(*SEARCH, config="choose-best")

    board = json.loads((fetched(search, "tuner", "tuner_results", tmp_path / "tuner") / "leaderboard.json").read_text())
    expected = json.loads((newest(workdir, "Tuner", "tuner_results") / "leaderboard.json").read_text())
    scores = [[(row["architecture"], row["accuracy"]) for row in rows] for rows in (board, expected)]
    assert scores[0] == scores[1]
    assert_same_model_and_metrics(search, workdir, tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("epochs", 2.5, "parameter epochs must be an integer of at least 1. Received: 2.5"),
        ("epochs", 0, "parameter epochs must be an integer of at least 1. Received: 0"),
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
    assert task == "image-ingest"
    [reason] = [line for line in outcome.log.splitlines() if line.startswith("failed: ")]
    assert message in reason


def test_a_root_at_another_store_works_with_the_config_map_that_compile_prints(
    backend: Backend, compiled: Compile, data: Path, tmp_path: Path
) -> None:
    run = Run(backend, compiled(root="s3://mlpipeline/elsewhere"), tmp_path / "logs", mounts={"faces": data})
    run.spec["root"]["dag"]["tasks"] = {"image-ingest": run.spec["root"]["dag"]["tasks"]["image-ingest"]}

    assert run.to_its_end(), run.outcomes["image-ingest"].log[-3000:]
    assert backend.files().find(run.artifact("image-ingest", "images"))
