"""The platform spec against what kfp-kubernetes writes for the same settings."""

from typing import Any

import pytest
import yaml
from compiled import CLUSTER, compiled
from kfp import compiler, dsl, kubernetes

from pipeline.kubeflow.options import KubeflowOptions, TaskOptions
from pipeline.kubeflow.platform import platform_spec
from pipeline.kubeflow.spec import kebab, reshape

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
        task.set_retry(2, "30s", 2.0, "3600s")
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


@modern
def test_the_platform_spec_is_what_kfp_kubernetes_writes(ours: list[Any], theirs: list[Any]) -> None:
    def executor(documents: list[Any]) -> Any:
        return documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-trainer"]

    assert executor(ours) == executor(theirs)


@modern
def test_resources_environment_and_retries_are_what_kfp_writes(ours: list[Any], theirs: list[Any]) -> None:
    def container(documents: list[Any]) -> Any:
        return documents[0]["deploymentSpec"]["executors"]["exec-trainer"]["container"]

    def task(documents: list[Any]) -> Any:
        return documents[0]["root"]["dag"]["tasks"]["trainer"]

    assert container(ours)["resources"] == container(theirs)["resources"]
    assert container(ours)["env"] == container(theirs)["env"]
    assert task(ours)["retryPolicy"] == task(theirs)["retryPolicy"]


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
    with pytest.raises(ValueError, match="without title"):
        reshape({"components": {"A": component}}, "n", "d", "/r", {}, {"A": TaskOptions()})
