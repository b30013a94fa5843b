"""One backend, one data set and the runs that the tests look at."""

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from backend import BUCKET, SECRET, Backend, brought_up, why_not
from comparison import Both, side_by_side
from local_side import LocalRun, command, run_locally
from workflow import Run

from pipeline.sample.dataset import write_sample_data

# An ordinary test run has no Kubeflow: `make test-kubeflow` does.
collect_ignore_glob = [] if os.environ.get("KUBEFLOW") == "1" else ["test_*.py"]

ROOT = f"minio://{BUCKET}/affect"
SMALL = (
    "image.height=32",
    "image.width=32",
    "evaluate.min_accuracy=0",
    "evaluate.beat_baselines=false",
    "evaluate.min_gain=-1",
    "evaluate.bootstrap=20",
    "split.group_regex=^(id[0-9]+)_",
)
QUICK = (*SMALL, "train.epochs=1", "train.warmup_epochs=0")
SEARCH = (*QUICK, "tuner.architectures=[resnet18, resnet34]", "tuner.epochs=1")

Compile = Callable[..., Path]
Locally = Callable[..., Callable[[], LocalRun]]


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    if reason := why_not():
        pytest.skip(reason)
    with brought_up(tmp_path_factory.mktemp("backend")) as found:
        yield found


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "faces"
    write_sample_data(folder, 240)
    return folder


@pytest.fixture(scope="session")
def compiled(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """Compiles by the command line, and merges into the cluster's ConfigMap what that prints."""

    @cache
    def run(*overrides: str, config: str = "default", root: str = ROOT) -> Path:
        path = tmp_path_factory.mktemp("compiled") / "affect.yaml"
        keys = "{accesskey: AWS_ACCESS_KEY_ID, secretkey: AWS_SECRET_ACCESS_KEY}"
        cluster = [
            f"kubeflow.components.all.env={{AWS_ENDPOINT_URL: '{backend.endpoint}', AWS_DEFAULT_REGION: us-east-1}}",
            f"kubeflow.components.all.secret_env=[{{secret: {SECRET}, keys: {keys}}}]",
            "kubeflow.components.ImageIngest.pvc=[{claim: faces, path: /data}]",
        ]
        line = ["compile", "--config", config, "--output", str(path), "--image", "registry.example/affect:1"]
        done = command([*line, "--pipeline-root", root, "--data", "/data"], (*cluster, *overrides))
        if "apiVersion" in done.stderr:
            text = done.stderr[done.stderr.index("apiVersion") :].partition("\n\n")[0]
            config_map = yaml.safe_load(text)
            backend.cluster.config_maps.setdefault(config_map["metadata"]["name"], {}).update(config_map["data"])
        return path

    return run


@pytest.fixture(scope="session")
def locally(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Locally:
    """Gives what runs the pipeline locally, all in one workdir, as Kubeflow's runs push to one destination."""
    workdir = tmp_path_factory.mktemp("local") / "work"
    return lambda *overrides, config="default": lambda: run_locally(data, workdir, overrides, config)


@pytest.fixture(scope="session")
def first(
    backend: Backend, compiled: Compile, locally: Locally, data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Both:
    """The sample pipeline; as another user than the image's, since some clusters choose one."""
    path = compiled(*QUICK)
    run = Run(backend, path, tmp_path_factory.mktemp("first") / "logs", mounts={"faces": data}, user=12345)
    return side_by_side(run, locally(*QUICK))


@pytest.fixture(scope="session")
def again(
    first: Both, backend: Backend, compiled: Compile, data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """The same once more, with nothing changed."""
    run = Run(backend, compiled(*QUICK), tmp_path_factory.mktemp("again") / "logs", mounts={"faces": data})
    assert run.to_its_end(), run.why()
    return run


@pytest.fixture(scope="session")
def with_its_model_gone(
    first: Both, again: Run, backend: Backend, compiled: Compile, data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """The same with the model gone that the first run pushed. It is put back then, beside what this run pushed."""
    run = Run(backend, compiled(*QUICK), tmp_path_factory.mktemp("gone") / "logs", mounts={"faces": data})
    store = backend.files()
    kept = str(tmp_path_factory.mktemp("pushed") / "model")
    store.get(first.version, kept, recursive=True)
    store.rm(first.version, recursive=True)
    assert run.to_its_end(), run.why()
    store.put(kept, first.version, recursive=True)
    return run


@pytest.fixture(scope="session")
def with_epochs(
    first: Both,
    with_its_model_gone: Run,
    backend: Backend,
    compiled: Compile,
    locally: Locally,
    data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Both:
    """Compiled with the default's epochs and warm-up, and two epochs set for this run."""
    path = compiled(*SMALL)
    run = Run(backend, path, tmp_path_factory.mktemp("epochs") / "logs", {"epochs": 2}, {"faces": data})
    return side_by_side(run, locally(*SMALL, "train.epochs=2", "train.warmup_epochs=1"))


@pytest.fixture(scope="session")
def search(
    with_epochs: Both,
    backend: Backend,
    compiled: Compile,
    locally: Locally,
    data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Both:
    """The search for the best ResNet, among two."""
    path = compiled(*SEARCH, config="choose-best")
    run = Run(backend, path, tmp_path_factory.mktemp("search") / "logs", mounts={"faces": data})
    return side_by_side(run, locally(*SEARCH, config="choose-best"))
