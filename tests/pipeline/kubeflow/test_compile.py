"""The compiled pipeline: names, parameters, types, caching, and the whole file against a golden one."""

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from compiled import CLUSTER, TARGET, compiled
from google.protobuf.json_format import ParseDict
from kfp import components
from kfp.dsl import ClassificationMetrics, Metrics
from kfp.pipeline_spec import pipeline_spec_pb2
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd
from small_disk import fill, small_disk

from pipeline.cli import main
from pipeline.config import ConfigError, load, presets
from pipeline.context import RunContext
from pipeline.kubeflow.options import TaskOptions
from pipeline.kubeflow.spec import read_rules, reshape
from pipeline.kubeflow.targets import Target
from pipeline.kubeflow.version_description import origin_comments
from pipeline.pipeline import create_components

GOLDEN = Path(__file__).parent / "golden.yaml"
# `REGOLD=1 pytest tests/pipeline/kubeflow/test_compile.py` writes the golden file again.


@pytest.fixture(scope="module")
def text() -> str:
    with pytest.MonkeyPatch.context() as patch:
        return compiled(patch, CLUSTER)[0]


@pytest.fixture(scope="module")
def documents() -> list[Any]:
    with pytest.MonkeyPatch.context() as patch:
        return compiled(patch, CLUSTER)[1]


def test_the_file_is_the_golden_one(text: str) -> None:
    import os

    text = re.sub(r"sdkVersion: tfx-[\d.]+", "sdkVersion: tfx", text)
    if os.environ.get("REGOLD"):
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")


def test_the_same_input_gives_the_same_bytes(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compiled(monkeypatch, CLUSTER)[0] == text


def test_the_file_says_what_it_was_made_from(monkeypatch: pytest.MonkeyPatch) -> None:
    text = compiled(monkeypatch, ["train.epochs=5", "data.path=/here"], config="photos")[0]
    comments = text.partition("\ncomponents:")[0].splitlines()

    assert comments[-3:-1] == [
        "# Code: facial-affect-pipeline 0.1.0, revision 000000000000",
        f"# Configuration: {load('photos', ['train.epochs=5', 'data.path=/here']).digest()}, preset photos",
    ]
    assert comments[-1].startswith("# Options: `balance.splits=[]`, `train.epochs=5`, `train.learning_rate=0.002`, ")
    assert "data.path" not in comments[-1]


def test_a_changed_checkout_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.record._git", lambda: ("1" * 40, 1))

    assert origin_comments(load(), None)[0].endswith(", revision 111111111111 (changed since)")


def test_no_more_options_are_named_than_a_url_has_room_for() -> None:
    many = load(None, [f"augment.pipeline_yaml=/{'a' * 600}.yaml", f"data.labels_csv=/{'b' * 600}.csv", "seed=7"])

    options = origin_comments(many, None)[-1]

    assert options.startswith('# Options: `seed=7`, `data.labels_csv="/bbb')
    assert options.endswith('.csv"`, and 1 more')
    assert len(options) <= 1000 + len("# Options: ")


def test_kfp_loads_it_with_the_parameters_and_their_defaults(text: str, tmp_path: Path) -> None:
    path = tmp_path / "affect.yaml"
    path.write_text(text)

    component = components.load_component_from_file(str(path))

    defaults = {name: found.default for name, found in component.component_spec.inputs.items()}
    assert defaults == {
        "data": "s3://faces/train",
        "until": "",
        "epochs": 20,
        "architecture": "resnet18",
        "seed": 0,
        "push_destination": "s3://mlpipeline/v2/artifacts/serving_model",
    }


def test_names_are_those_of_kfps_compiler(documents: list[Any]) -> None:
    spec = documents[0]
    tasks = spec["root"]["dag"]["tasks"]

    assert spec["schemaVersion"] == "2.1.0"
    assert {"image-ingest", "split-balance-augment", "tf-record-converter", "statistics-gen", "trainer"} <= set(tasks)
    for name, task in tasks.items():
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name)
        assert task["componentRef"]["name"] == f"comp-{name}"
        assert spec["components"][f"comp-{name}"]["executorLabel"] == f"exec-{name}"
        assert f"exec-{name}" in spec["deploymentSpec"]["executors"]
        assert set(task.get("dependentTasks", ())) <= set(tasks)


def test_no_resolver_and_nothing_of_ml_metadata_is_in_it(text: str) -> None:
    assert "resolver" not in text.lower()
    assert "mlmd" not in text.lower()
    assert "metadata.db" not in text


def test_every_artifact_type_is_one_that_kfp_accepts(documents: list[Any]) -> None:
    pattern = r"[a-z][a-z0-9-_]{2,20}[.][A-Z][a-zA-Z0-9-_]{2,49}"
    types = [
        artifact["artifactType"]
        for component in documents[0]["components"].values()
        for side in ("inputDefinitions", "outputDefinitions")
        for artifact in component.get(side, {}).get("artifacts", {}).values()
    ]

    assert types
    assert all(re.fullmatch(pattern, found["schemaTitle"]) and found["schemaVersion"] for found in types)


def test_the_report_is_shown_as_html(documents: list[Any]) -> None:
    outputs = documents[0]["components"]["comp-report"]["outputDefinitions"]["artifacts"]

    assert outputs["report"]["artifactType"]["schemaTitle"] == "system.HTML"


def test_metrics_for_the_pages_are_outputs_of_their_own_that_nothing_takes(of_a_preset: Any) -> None:
    kinds = {
        (name.removeprefix("comp-"), key): output["artifactType"]["schemaTitle"]
        for name, component in of_a_preset["components"].items()
        for key, output in component["outputDefinitions"].get("artifacts", {}).items()
    }
    shown = {one: kind for one, kind in kinds.items() if "Metrics" in kind}
    taken = {
        (source["taskOutputArtifact"]["producerTask"], source["taskOutputArtifact"]["outputArtifactKey"])
        for task in of_a_preset["root"]["dag"]["tasks"].values()
        for source in task.get("inputs", {}).get("artifacts", {}).values()
    }

    trainers = [name for name in of_a_preset["root"]["dag"]["tasks"] if name.startswith("trainer")]
    assert shown == {
        **{(name, "training_metrics"): Metrics.schema_title for name in trainers},
        ("evaluator", "test_metrics"): Metrics.schema_title,
        ("prediction-analysis", "test_confusion_matrix"): ClassificationMetrics.schema_title,
    }
    assert taken.isdisjoint(shown)
    # Up to 2.16.1 what is fetched is all that begins like the input.
    for task, key in shown:
        assert [one for one in taken if one[0] == task and key.startswith(one[1])] == []


def test_kubeflows_own_messages_take_it(of_a_preset: Any) -> None:
    spec = ParseDict(of_a_preset, pipeline_spec_pb2.PipelineSpec())

    output = spec.components["comp-evaluator"].output_definitions.artifacts["test_metrics"]
    assert output.artifact_type.schema_title == "system.Metrics"


def test_run_parameters_reach_their_components(documents: list[Any]) -> None:
    tasks = documents[0]["root"]["dag"]["tasks"]

    def source(task: str, parameter: str) -> str:
        return str(tasks[task]["inputs"]["parameters"][parameter]["componentInputParameter"])

    assert (source("data-digest", "uri"), source("data-digest", "until")) == ("data", "until")
    assert source("baseline-finder", "destination") == source("pusher", "destination") == "push_destination"
    for name in ("epochs", "architecture", "seed"):
        assert source("trainer", name) == name
        # These three tell one model from another by its recipe.
        assert source("baseline-finder", name) == source("pusher", name) == name
        assert source("prediction-analysis", name) == name


def test_the_first_task_gets_all_that_a_run_can_set(documents: list[Any]) -> None:
    tasks = documents[0]["root"]["dag"]["tasks"]
    task = tasks["data-digest"]
    component = documents[0]["components"]["comp-data-digest"]
    taken = {source.get("componentInputParameter") for source in task["inputs"]["parameters"].values()} - {None}

    assert taken == set(documents[0]["root"]["inputDefinitions"]["parameters"])
    assert set(task["inputs"]["parameters"]) == set(component["inputDefinitions"]["parameters"])
    assert [name for name, other in tasks.items() if not other.get("dependentTasks")] == ["data-digest"]


def test_other_values_of_a_run_dont_ingest_again(documents: list[Any]) -> None:
    parameters = documents[0]["root"]["dag"]["tasks"]["image-ingest"]["inputs"]["parameters"]

    assert not [key for key, source in parameters.items() if "componentInputParameter" in source]


def test_what_the_first_task_finds_reaches_those_that_depend_on_it_as_parameters(documents: list[Any]) -> None:
    spec = documents[0]
    found = {
        (task, key): source["taskOutputParameter"]
        for task, other in spec["root"]["dag"]["tasks"].items()
        for key, source in other["inputs"]["parameters"].items()
        if "taskOutputParameter" in source
    }

    assert {one["producerTask"] for one in found.values()} == {"data-digest"}
    assert {key: one["outputParameterKey"] for key, one in found.items()} == {
        ("image-ingest", "uri"): "places",
        ("image-ingest", "data_digest"): "digest",
        ("report", "data"): "places",
        ("baseline-finder", "folder_digest"): "digest",
        ("baseline-finder", "candidates"): "candidates",
        ("pusher", "folder_digest"): "digest",
        ("pusher", "version"): "version",
    }
    text = {"parameterType": "STRING"}
    outputs = spec["components"]["comp-data-digest"]["outputDefinitions"]
    assert outputs == {"parameters": {"places": text, "digest": text, "candidates": text, "version": text}}
    for task, _ in found:
        assert "data-digest" in spec["root"]["dag"]["tasks"][task]["dependentTasks"]


def test_a_local_run_has_no_such_task() -> None:
    components_here = create_components(load(), RunContext(uri="faces", destination="models"))

    assert "DataDigest" not in {component.id for component in components_here}


def test_only_architectures_that_go_with_the_weights_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    [spec] = compiled(monkeypatch, ["model.weights=imagenet", "model.normalize=false", "model.architecture=resnet50"])[
        1
    ]

    assert read_rules(spec)["architecture"]["choices"] == ["resnet50", "resnet101", "resnet152"]


@pytest.fixture(scope="module", params=presets())
def of_a_preset(request: pytest.FixtureRequest) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        return compiled(patch, CLUSTER, config=request.param)[1][0]


def test_a_drivers_events_fit_into_ml_metadata(of_a_preset: Any, tmp_path: Path) -> None:
    """As the driver does it: an execution a task, an artifact an output, and one event for each key of the inputs."""
    connection = mlmd.ConnectionConfig()
    connection.sqlite.filename_uri = str(tmp_path / "metadata.db")
    connection.sqlite.connection_mode = 3
    store = metadata_store.MetadataStore(connection)
    kind = store.put_execution_type(mlmd.ExecutionType(name="system.ContainerExecution"))
    artifact_type = store.put_artifact_type(mlmd.ArtifactType(name="system.Artifact"))
    tasks, artifacts = of_a_preset["root"]["dag"]["tasks"], dict[tuple[str, str], int]()
    for name in tasks:
        for key in of_a_preset["components"][f"comp-{name}"]["outputDefinitions"].get("artifacts", {}):
            [artifacts[name, key]] = store.put_artifacts([mlmd.Artifact(type_id=artifact_type)])

    for name, task in tasks.items():
        events = []
        for key, source in task.get("inputs", {}).get("artifacts", {}).items():
            produced = source["taskOutputArtifact"]
            event = mlmd.Event(
                type=mlmd.Event.INPUT, artifact_id=artifacts[produced["producerTask"], produced["outputArtifactKey"]]
            )
            event.path.steps.add().key = key
            events.append(event)
        pairs = [mlmd_pair(store, event) for event in events]
        execution, *_ = store.put_execution(mlmd.Execution(type_id=kind, name=name), pairs, [])

        assert len(store.get_events_by_execution_ids([execution])) == len(events)


def mlmd_pair(store: Any, event: mlmd.Event) -> tuple[mlmd.Artifact, mlmd.Event]:
    [artifact] = store.get_artifacts_by_id([event.artifact_id])
    return artifact, event


def test_one_output_taken_twice_is_refused() -> None:
    source = {"taskOutputArtifact": {"producerTask": "A", "outputArtifactKey": "x"}}
    task = {"inputs": {"artifacts": {"one": source, "other": dict(source)}}}
    spec = {"components": {"B": {"executorLabel": "B"}}, "root": {"dag": {"tasks": {"B": task}}}}

    with pytest.raises(ValueError, match="B takes a.x twice, which Kubeflow can't do. Received: other"):
        reshape(spec, "n", "d", "/r", {}, {}, {"B": TaskOptions()})


def uncached(spec: Any) -> set[str]:
    tasks = spec["root"]["dag"]["tasks"]
    return {name for name, task in tasks.items() if not task["cachingOptions"].get("enableCache")}


def test_all_is_cached_but_what_looks_for_changes_and_what_the_configuration_says(documents: list[Any]) -> None:
    assert uncached(documents[0]) == {"data-digest", "evaluator"}


def test_predictions_are_made_again_since_nobody_sees_beforehand_what_there_is_to_predict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    overrides = ["predict.path=s3://faces/new", "kubeflow.components.all.cache=true"]
    [spec] = compiled(monkeypatch, overrides)[1]

    assert uncached(spec) == {"data-digest", "batch-predict"}
    assert spec["root"]["dag"]["tasks"]["batch-predict"]["dependentTasks"] == ["pusher"]


def test_a_cache_for_all_is_none_for_what_looks_for_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    [spec] = compiled(monkeypatch, ["kubeflow.components.all.cache=true"])[1]

    assert uncached(spec) == {"data-digest"}


def test_a_search_leaves_no_architecture_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    [spec] = compiled(monkeypatch, ["tuner.enabled=true"])[1]

    assert "architecture" not in spec["root"]["inputDefinitions"]["parameters"]
    assert spec["root"]["dag"]["tasks"]["tuner"]["inputs"]["parameters"]["seed"] == {"componentInputParameter": "seed"}
    assert "data-gate" in spec["root"]["dag"]["tasks"]["tuner"]["dependentTasks"]


@pytest.mark.parametrize(
    ("overrides", "target", "message"),
    [
        (
            ["kubeflow.components.Trainr.cpu='4'"],
            {},
            "kubeflow.components.Trainr: no such component. Components: Data",
        ),
        (["kubeflow.components.Tuner.cpu='4'"], {}, "kubeflow.components.Tuner: no such component"),
        (
            ["predict.path=s3://faces/new", "kubeflow.components.BatchPredict.cache=true"],
            {},
            "kubeflow.components.BatchPredict.cache must be left out",
        ),
        (["predict.path=/new"], {}, "predict.path = /new is in no volume of BatchPredict"),
        (["kubeflow.components.DataDigest.cache=true"], {}, "kubeflow.components.DataDigest.cache must be left out"),
        ([], {"root": "hdfs://x"}, "--pipeline-root must begin with minio://, s3://, gs://"),
        ([], {"data": "minio://faces"}, "MinIO and SeaweedFS are s3:// with AWS_ENDPOINT_URL"),
        ([], {"data": "/data"}, "--data = /data is in no volume of ImageIngest"),
        ([], {"data": "data"}, "--data must be an absolute path"),
        (["push.destination=/models"], {}, "push.destination = /models is in no volume of Pusher"),
        (["augment.pipeline_yaml=mine.yml"], {}, "augment.pipeline_yaml must be an absolute path"),
        (["data.labels_csv=labels.csv"], {}, "data.labels_csv must be an absolute path"),
        (["data.labels_csv=/labels.csv"], {}, "data.labels_csv = /labels.csv is in no volume of ImageIngest"),
        (["data.metadata_csv=/m.csv"], {}, "data.metadata_csv = /m.csv is in no volume of ImageIngest"),
        (["model.weights=/w.h5"], {}, "model.weights = /w.h5 is in no volume of Trainer"),
        (["model.weights=s3://w.h5"], {}, "model.weights must be a path in the pods. Received: s3://w.h5"),
        (
            ["kubeflow.components.Trainer.memory=1Gi", "kubeflow.components.Trainer.memory_request=2G"],
            {},
            "kubeflow.components.Trainer.memory_request is above the limit. Received: 2G of 1Gi",
        ),
        (
            [
                "kubeflow.components.all.env={A: b}",
                "kubeflow.components.Trainer.secret_env=[{secret: s, keys: {k: A}}]",
            ],
            {},
            "kubeflow.components.Trainer sets A twice",
        ),
    ],
)
def test_what_a_pod_could_not_honour_is_an_error(
    overrides: list[str], target: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        compiled(monkeypatch, overrides, Target(**{**vars(TARGET), **target}))


def test_a_mounted_folder_can_hold_data_and_models(monkeypatch: pytest.MonkeyPatch) -> None:
    volumes = [
        "kubeflow.components.ImageIngest.pvc=[{claim: faces, path: /data}]",
        "kubeflow.components.Pusher.pvc=[{claim: models, path: /models}]",
        "kubeflow.components.BaselineFinder.pvc=[{claim: models, path: /models}]",
        "push.destination=/models/affect",
    ]

    spec = compiled(monkeypatch, volumes, Target(TARGET.image, TARGET.root, "/data/train"))[1][0]

    assert spec["root"]["inputDefinitions"]["parameters"]["data"]["defaultValue"] == "/data/train"


def test_on_a_full_disk_the_compiled_pipeline_that_was_there_stays(tmp_path: Path) -> None:
    words = ["compile", "--image", "i@sha256:0", "--pipeline-root", "minio://b/x", "--data", "s3://b/data"]
    with small_disk(tmp_path / "disk") as disk:
        output = disk / "a.yaml"
        output.write_text("old")
        fill(disk, but=12_000)
        shown = CliRunner().invoke(main, [*words, "--output", str(output)])
        left = {path.name: path.read_bytes() for path in disk.iterdir() if path.name != "fill"}

    assert shown.exit_code == 2
    said = f"Error: can't write --output {output}: No space left on device. Make room there, or name another place"
    assert shown.output.splitlines()[-1] == said
    assert left == {"a.yaml": b"old"}
