"""The platform spec against what kfp-kubernetes writes for the same settings, and what each release can parse."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from compiled import CLUSTER, compiled
from kfp import compiler, dsl, kubernetes

from components.formats.nodes import kebab
from pipeline.kubeflow.options import KubeflowOptions, TaskOptions
from pipeline.kubeflow.platform import platform_spec
from pipeline.kubeflow.spec import reshape

modern = pytest.mark.skipif(not hasattr(kubernetes, "add_toleration"), reason="kfp-kubernetes 1.0 knows few of these")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    @dsl.container_component
    def trainer():  # type: ignore[no-untyped-def]
        return dsl.ContainerSpec(image="i", command=["x"])

    @dsl.pipeline(name="p")
    def pipeline():  # type: ignore[no-untyped-def]
        task = trainer()
        task.set_cpu_limit("4").set_cpu_request("500m").set_memory_limit("16Gi").set_memory_request("8Gi")
        task.set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(1)
        task.set_env_variable("AWS_ENDPOINT_URL", "http://minio:9000").set_env_variable("LEVEL", "debug")
        task.set_env_variable("PIPELINE_GPUS", "1")  # ours, so that the Trainer misses a GPU that isn't there
        task.set_retry(2, "30s", 2.0, "604800s")
        kubernetes.use_secret_as_env(task, "store", {"accesskey": "AWS_ACCESS_KEY_ID"})
        kubernetes.mount_pvc(task, "weights", "/weights")
        kubernetes.add_node_selector(task, "pool", "gpu")
        kubernetes.add_toleration(task, key="nvidia.com/gpu", operator="Exists", effect="NoSchedule")
        kubernetes.set_image_pull_secrets(task, ["regcred"])

    path = tmp_path_factory.mktemp("kfp") / "theirs.yaml"
    compiler.Compiler().compile(pipeline, str(path))
    return list(yaml.safe_load_all(path.read_text()))


@pytest.fixture(scope="module")
def ours() -> list[Any]:
    with pytest.MonkeyPatch.context() as patch:
        return compiled(patch, CLUSTER)[1]


# Fields of the messages used here, as each release's kubernetes_executor_config.proto has them. The driver fails at
# any other up to 2.4; later it passes over them.
_SINCE_2_0 = {
    "": {"secretAsVolume", "secretAsEnv", "pvcMount", "nodeSelector"},
    "secretAsEnv": {"secretName", "keyToEnv"},
    "secretAsEnv.keyToEnv": {"secretKey", "envVar"},
    "pvcMount": {"taskOutputParameter", "constant", "componentInputParameter", "mountPath"},
    "nodeSelector": {"labels"},
}
_SINCE_2_1 = {
    **_SINCE_2_0,
    "": {*_SINCE_2_0[""], "podMetadata", "imagePullSecret", "imagePullPolicy", "tolerations"},
    "imagePullSecret": {"secretName"},
    "tolerations": {"key", "operator", "value", "effect", "tolerationSeconds"},
}
RELEASES: dict[str, dict[str, set[str]]] = {
    "2.0.5": _SINCE_2_0,
    **dict.fromkeys(("2.1.0", "2.2.0", "2.3.0", "2.4.1", "2.5.0", "2.14.4", "2.15.0", "2.16.1", "2.17.0"), _SINCE_2_1),
}


def fields(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Message and field of everything that is set."""
    for one in value if isinstance(value, list) else [value]:
        for name, inner in one.items():
            yield prefix, name
            if name != "labels" and isinstance(inner, list | dict):  # labels are a map of the user's own keys
                yield from fields(inner, f"{prefix}.{name}".lstrip("."))


@pytest.mark.parametrize("release", RELEASES)
def test_each_release_knows_every_field_that_is_written(release: str, ours: list[Any]) -> None:
    executors = ours[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values()
    written = {pair for executor in executors for pair in fields(executor)}
    since_2_1 = {pair for pair in written if pair[0].split(".")[0] in ("tolerations", "imagePullSecret")}
    since_2_1 |= {("", "tolerations"), ("", "imagePullSecret")}

    unknown = {(message, name) for message, name in written if name not in RELEASES[release].get(message, set())}

    assert unknown <= (since_2_1 if release == "2.0.5" else set())


@modern
def test_the_platform_spec_is_the_older_half_of_what_kfp_kubernetes_writes(ours: list[Any], theirs: list[Any]) -> None:
    def executor(documents: list[Any]) -> Any:
        return documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-trainer"]

    newer = {"secretNameParameter", "pvcNameParameter", "optional"}

    def older(value: Any) -> Any:
        if isinstance(value, list):
            return [older(one) for one in value]
        if isinstance(value, dict):
            return {name: older(inner) for name, inner in value.items() if name not in newer}
        return value

    assert executor(ours) == older(executor(theirs))


@modern
def test_kfps_own_messages_take_every_field(ours: list[Any]) -> None:
    from google.protobuf import json_format
    from kfp.kubernetes import kubernetes_executor_config_pb2
    from kfp.pipeline_spec import pipeline_spec_pb2

    json_format.ParseDict(ours[0], pipeline_spec_pb2.PipelineSpec())
    for executor in ours[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values():
        json_format.ParseDict(executor, kubernetes_executor_config_pb2.KubernetesExecutorConfig())


@modern
def test_resources_environment_and_retries_are_what_kfp_writes(ours: list[Any], theirs: list[Any]) -> None:
    def container(documents: list[Any]) -> Any:
        return documents[0]["deploymentSpec"]["executors"]["exec-trainer"]["container"]

    def task(documents: list[Any]) -> Any:
        return documents[0]["root"]["dag"]["tasks"]["trainer"]

    assert container(ours)["resources"] == container(theirs)["resources"]
    assert container(ours)["env"] == container(theirs)["env"]
    # kfp itself cuts the longest pause at an hour, which the server takes as the time of all tries together.
    assert task(ours)["retryPolicy"] == {**task(theirs)["retryPolicy"], "backoffMaxDuration": "604800s"}


def test_every_executor_of_the_platform_spec_is_one_of_the_pipeline(ours: list[Any]) -> None:
    executors = ours[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]

    assert set(executors) == set(ours[0]["deploymentSpec"]["executors"])  # all have the pull secret


def test_without_settings_there_is_no_platform_spec() -> None:
    assert platform_spec(KubeflowOptions(), {"Trainer": TaskOptions()}) is None


@pytest.mark.parametrize(
    ("node", "name"),
    [("TFRecordConverter", "tf-record-converter"), ("Trainer.a", "trainer-a"), ("ImageIngest", "image-ingest")],
)
def test_kebab(node: str, name: str) -> None:
    assert kebab(node) == name


def test_an_artifact_type_without_title_is_an_error() -> None:
    component = {
        "executorLabel": "A",
        "outputDefinitions": {"artifacts": {"x": {"artifactType": {"instanceSchema": ""}}}},
    }
    spec = {"components": {"A": component}, "root": {"dag": {"tasks": {"A": {}}}}}
    with pytest.raises(ValueError, match="without title"):
        reshape(spec, "n", "d", "/r", {}, {}, {"A": TaskOptions()})
