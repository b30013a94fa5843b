"""The pipeline compiled for tests: what changes with every edit of the code stands still."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tensorflow_data_validation as tfdv
import yaml

from components import component
from pipeline import context as run_context
from pipeline import record as run_record
from pipeline.config import load, preset_name
from pipeline.kubeflow import version_description
from pipeline.kubeflow.compile import compile_pipeline
from pipeline.kubeflow.targets import Target

TARGET = Target(
    image="registry.example/affect@sha256:" + "0" * 64, root="minio://mlpipeline/v2/artifacts", data="s3://faces/train"
)
# Every setting that a component can have.
CLUSTER = (
    "kubeflow.image_pull_secrets=[regcred]",
    "kubeflow.service_account=pipeline-runner",
    "kubeflow.components.all.secret_env=[{secret: store, keys: {accesskey: AWS_ACCESS_KEY_ID}}]",
    "kubeflow.components.all.env={AWS_ENDPOINT_URL: 'http://minio:9000'}",
    "kubeflow.components.all.retry={count: 2, backoff: 30s}",
    "kubeflow.components.Trainer.cpu='4'",
    "kubeflow.components.Trainer.cpu_request=500m",
    "kubeflow.components.Trainer.memory=16Gi",
    "kubeflow.components.Trainer.memory_request=8Gi",
    "kubeflow.components.Trainer.gpu={count: 1}",
    "kubeflow.components.Trainer.env={LEVEL: debug}",
    "kubeflow.components.Trainer.pvc=[{claim: weights, path: /weights}]",
    "kubeflow.components.Trainer.node_selector={pool: gpu}",
    "kubeflow.components.Trainer.tolerations=[{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]",
    "kubeflow.components.Evaluator.cache=false",
)


def compiled(
    monkeypatch: pytest.MonkeyPatch,
    overrides: Sequence[str] = (),
    target: Target = TARGET,
    config: str | None = None,
) -> tuple[str, list[Any]]:
    """Text and documents."""
    for module in (component, run_context):
        monkeypatch.setattr(module, "code_version", lambda *modules: "0" * 12)
    # Its JSON has other keys in each version of TFDV.
    monkeypatch.setattr(tfdv.StatsOptions, "to_json", lambda options: json.dumps(options.feature_allowlist))
    monkeypatch.setattr(run_record, "_git", lambda: ("0" * 40, 0))
    monkeypatch.setattr(version_description, "own_version", lambda: "0.1.0")
    text = compile_pipeline(load(config, overrides), target, preset_name(config))
    return text, list(yaml.safe_load_all(text))


def compiled_file(folder: Path) -> Path:
    """Compile for the cluster and return the file."""
    path = folder / "affect.yaml"
    with pytest.MonkeyPatch.context() as patch:
        path.write_text(compiled(patch, CLUSTER)[0], "utf-8")
    return path
