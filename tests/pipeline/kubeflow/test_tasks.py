"""What DataDigest needs to open what others open is its own without being said again."""

from typing import Any

import pytest

from pipeline.config import ConfigError, load, validate
from pipeline.kubeflow.options import GpuOptions, TaskOptions
from pipeline.kubeflow.tasks import task_options

NAMES = ["DataDigest", "ImageIngest", "SplitBalanceAugment", "ImageSchema", "Trainer", "BaselineFinder", "Pusher"]
FACES = "kubeflow.components.ImageIngest.pvc=[{claim: faces, path: /data}]"
MODELS = "kubeflow.components.BaselineFinder.pvc=[{claim: models, path: /models}]"
PIPELINES = "kubeflow.components.SplitBalanceAugment.pvc=[{claim: pipelines, path: /pipelines}]"
WEIGHTS = "kubeflow.components.Trainer.pvc=[{claim: weights, path: /weights}]"


def data_digest(*overrides: str) -> TaskOptions:
    return task_options(load(None, overrides), NAMES)["DataDigest"]


def claims(options: TaskOptions) -> list[str]:
    return [volume.claim for volume in options.pvc]


def test_it_has_the_volumes_of_the_data_and_of_the_models() -> None:
    assert claims(data_digest(FACES, MODELS, WEIGHTS)) == ["faces", "models"]


def test_a_volume_of_both_is_mounted_once() -> None:
    both = FACES.replace("ImageIngest", "BaselineFinder")

    assert claims(data_digest(FACES, both)) == ["faces"]


@pytest.mark.parametrize(
    ("volume", "option"),
    [(WEIGHTS, "model.weights=/weights/a.safetensors"), (PIPELINES, "augment.pipeline_yaml=/pipelines/a.yaml")],
)
def test_it_has_the_volume_of_a_file_that_an_option_names(volume: str, option: str) -> None:
    assert len(claims(data_digest(volume, option))) == 1
    assert claims(data_digest(volume)) == []


def test_it_has_the_keys_and_the_endpoint_to_both_stores() -> None:
    found = data_digest(
        "kubeflow.components.ImageIngest.secret_env=[{secret: faces, keys: {key: AWS_ACCESS_KEY_ID}}]",
        "kubeflow.components.ImageIngest.env={AWS_ENDPOINT_URL: 'http://minio:9000'}",
        "kubeflow.components.BaselineFinder.secret_env=[{secret: google, keys: {key: GOOGLE_CREDENTIALS}}]",
        "kubeflow.components.Trainer.env={LEVEL: debug}",
    )

    assert [item.secret for item in found.secret_env] == ["faces", "google"]
    assert found.env == {"AWS_ENDPOINT_URL": "http://minio:9000"}


def test_its_own_settings_go_above() -> None:
    found = data_digest(
        FACES,
        "kubeflow.components.DataDigest.pvc=[{claim: read-only, path: /data}]",
        "kubeflow.components.DataDigest.memory=1Gi",
    )

    assert (claims(found), found.memory) == (["read-only"], "1Gi")


STORE = "{{secret: {secret}, keys: {{key: AWS_ACCESS_KEY_ID}}}}"


@pytest.mark.parametrize(
    "overrides",
    [
        ["ImageIngest.env={AWS_ENDPOINT_URL: a}", "BaselineFinder.env={AWS_ENDPOINT_URL: b}"],
        [
            f"{node}.secret_env=[{STORE.format(secret=secret)}]"
            for node, secret in (("ImageIngest", "faces"), ("BaselineFinder", "models"))
        ],
    ],
)
def test_two_values_of_one_variable_are_an_error_unless_it_has_one_of_its_own(overrides: list[str]) -> None:
    given = [f"kubeflow.components.{override}" for override in overrides]
    own: Any = given[0].replace("ImageIngest", "DataDigest")

    with pytest.raises(ConfigError, match="^ImageIngest and BaselineFinder have two values of AWS_"):
        data_digest(*given)
    assert data_digest(*given, own) == data_digest(given[0], own)


def test_its_own_value_stands_for_theirs_by_whichever_way() -> None:
    theirs = [
        f"kubeflow.components.{node}.secret_env=[{STORE.format(secret=secret)}]"
        for node, secret in (("ImageIngest", "faces"), ("BaselineFinder", "models"))
    ]
    by_env = data_digest(*theirs, "kubeflow.components.DataDigest.env={AWS_ACCESS_KEY_ID: a, AWS_SECRET_ACCESS_KEY: b}")

    assert by_env.env == {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    assert by_env.secret_env == ()


def test_each_folds_trainer_has_what_the_trainer_has_and_its_own_above() -> None:
    entries = {
        "Trainer": {"gpu": {"count": 1}, "env": {"LEVEL": "debug", "ONE": "1"}},
        "Trainer.fold-2": {"env": {"LEVEL": "info"}},
    }
    config = validate({"kubeflow": {"components": entries}, "evaluate": {"folds": 2}})

    tasks = task_options(config, [*NAMES, "Trainer.fold-1", "Trainer.fold-2"])

    assert [tasks[name].gpu for name in ("Trainer.fold-1", "Trainer.fold-2")] == [GpuOptions(count=1)] * 2
    assert tasks["Trainer.fold-1"].env == {"LEVEL": "debug", "ONE": "1"}
    assert tasks["Trainer.fold-2"].env == {"LEVEL": "info", "ONE": "1"}
