"""What compile prints and submit warns of, where launcher and components would look in different stores."""

from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from compiled import TARGET, compiled

from pipeline.cli import main
from pipeline.kubeflow.launcher_config import disagreements, launcher_config
from pipeline.kubeflow.targets import Target

ENDPOINT = "kubeflow.components.all.env={AWS_ENDPOINT_URL: 'http://minio-service.kubeflow:9000'}"
KEYS = (
    "kubeflow.components.all.secret_env=[{secret: store, keys: {id: AWS_ACCESS_KEY_ID, secret: AWS_SECRET_ACCESS_KEY}}]"
)


def documents(monkeypatch: pytest.MonkeyPatch, root: str, *overrides: str) -> list[Any]:
    return compiled(monkeypatch, overrides, Target(TARGET.image, root, TARGET.data))[1]


def providers(found: tuple[str, str] | None) -> Any:
    assert found is not None
    config_map = yaml.safe_load(found[1])
    assert (config_map["kind"], config_map["metadata"]["name"]) == ("ConfigMap", "kfp-launcher")
    return yaml.safe_load(config_map["data"]["providers"])


@pytest.mark.parametrize("root", ["minio://mlpipeline/v2/artifacts", "minio://mlpipeline/v2/artifacts/faces"])
def test_the_installations_own_root_needs_nothing(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = documents(monkeypatch, root, ENDPOINT)

    assert launcher_config(found) is None
    assert list(disagreements(found, {})) == []


def test_an_s3_root_off_aws_needs_endpoint_path_style_and_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    found = documents(monkeypatch, "s3://models/affect", ENDPOINT, KEYS)
    access = {
        "endpoint": "http://minio-service.kubeflow:9000",
        "region": "us-east-1",
        "disableSSL": True,
        "forcePathStyle": True,
        "credentials": {
            "fromEnv": False,
            "secretRef": {"secretName": "store", "accessKeyKey": "id", "secretKeyKey": "secret"},
        },
    }

    assert providers(launcher_config(found)) == {
        "s3": {"default": access, "overrides": [{"bucketName": "models", "keyPrefix": "affect", **access}]}
    }
    [warning] = disagreements(found, {})
    assert "artifacts go to s3://models/affect, which the launcher takes for AWS" in warning


@pytest.mark.parametrize(
    ("root", "endpoint"), [("minio://mine/affect", "minio-service.kubeflow:9000"), ("minio://mlpipeline/v2", None)]
)
def test_the_next_release_needs_an_override_for_another_root(
    root: str, endpoint: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = launcher_config(documents(monkeypatch, root, *([ENDPOINT] if endpoint else [])))

    assert found is not None
    assert "releases after 2.17" in found[0]
    [override] = providers(found)["minio"]["overrides"]
    assert f"minio://{override['bucketName']}/{override['keyPrefix']}" == root
    assert override["endpoint"] == (endpoint or "seaweedfs.kubeflow:9000")


@pytest.mark.parametrize("root", ["s3://models/affect", "gs://models/affect"])
def test_aws_and_google_are_reached_by_the_pods_own_account(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = documents(monkeypatch, root)

    [provider] = providers(launcher_config(found)).values()
    assert provider["default"] == {"credentials": {"fromEnv": True}}
    assert list(disagreements(found, {})) == []


def test_models_beside_a_minio_root_need_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    found = documents(monkeypatch, TARGET.root)

    [warning] = disagreements(found, {})

    assert "is opened at AWS by baseline-finder, pusher, data-digest" in warning
    assert list(disagreements(found, {"push_destination": "s3://on-aws/models"})) == []
    assert len(list(disagreements(found, {"data": "s3://mlpipeline/faces"}))) == 2


def test_compile_prints_what_to_merge_and_warns_of_a_short_retry(tmp_path: Any) -> None:
    line = ["compile", "--output", str(tmp_path / "a.yaml"), "--image", "i", "--pipeline-root", "s3://models/affect"]
    line += ["--data", "s3://faces", "--set", ENDPOINT, "--set", "kubeflow.components.Trainer.retry.count=1"]

    result = CliRunner().invoke(main, [*line, "--set", "kubeflow.components.Trainer.retry.longest=30m"])

    assert result.exit_code == 0, result.output
    assert (
        "takes s3://models/affect for AWS unless its ConfigMap names http://minio-service.kubeflow:9000"
        in result.output
    )
    assert "endpoint: http://minio-service.kubeflow:9000" in result.output
    assert "kubeflow.components.Trainer.retry.longest = 30m is the total time" in result.output
