"""One backend, one data set and the runs that the tests look at."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
import yaml
from backend import BUCKET, CHECKOUT, SECRET, Backend, brought_up, why_not
from workflow import SEARCH, Run

from pipeline.sample_data import write_sample_data

# An ordinary test run has no Kubeflow: `make test-kubeflow` does.
collect_ignore_glob = [] if os.environ.get("KUBEFLOW") == "1" else ["test_*.py"]

ROOT = f"minio://{BUCKET}/affect"
# Small and quick. Three epochs, and the default's two of warm-up.
QUICK = (
    "train.epochs=3",
    "image.height=32",
    "image.width=32",
    "evaluate.min_accuracy=0",
    "evaluate.min_gain=-1",
    "evaluate.bootstrap=20",
    "split.group_regex=^(id[0-9]+)_",
)

Compile = Callable[..., Path]


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
        done = _pipeline([*line, "--pipeline-root", root, "--data", "/data"], (*QUICK, *cluster, *overrides))
        if "apiVersion" in done.stderr:
            text = done.stderr[done.stderr.index("apiVersion") :].partition("\n\n")[0]
            config_map = yaml.safe_load(text)
            backend.cluster.config_maps.setdefault(config_map["metadata"]["name"], {}).update(config_map["data"])
        return path

    return run


@pytest.fixture(scope="session")
def local(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Runs the pipeline locally, and returns the workdir: one for all runs, as there is one push destination."""
    workdir = tmp_path_factory.mktemp("local") / "work"

    def run(*overrides: str, config: str = "default") -> Path:
        line = ["run", "--config", config, "--data", str(data), "--workdir", str(workdir)]
        _pipeline(line, (*QUICK, *overrides))
        return workdir

    return run


@pytest.fixture(scope="session")
def cached(compiled: Compile) -> Path:
    """The compiled sample pipeline; the data's tasks are run once for all that follows."""
    return compiled("kubeflow.components.ImageIngest.cache=true")


@pytest.fixture(scope="session")
def first(backend: Backend, cached: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The sample pipeline, run once; another user than the image's, as some clusters choose one."""
    run = Run(backend, cached, tmp_path_factory.mktemp("first") / "logs", mounts={"faces": data}, user=12345)
    assert run.to_its_end(), _why(run)
    return run


@pytest.fixture(scope="session")
def with_epochs(
    backend: Backend, cached: Path, data: Path, first: Run, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """The same file, with other epochs set for this run."""
    folder = tmp_path_factory.mktemp("epochs") / "logs"
    run = Run(backend, cached, folder, {"epochs": 2}, {"faces": data})
    assert run.to_its_end(), _why(run)
    return run


@pytest.fixture(scope="session")
def search(
    backend: Backend, compiled: Compile, data: Path, with_epochs: Run, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """The search for the best ResNet."""
    path = compiled("kubeflow.components.ImageIngest.cache=true", *SEARCH, config="choose-best")
    run = Run(backend, path, tmp_path_factory.mktemp("search") / "logs", mounts={"faces": data})
    assert run.to_its_end(), _why(run)
    return run


def _why(run: Run) -> str:
    name, outcome = list(run.outcomes.items())[-1]
    return f"{name}: {outcome.log[-4000:]}"


def _pipeline(arguments: Sequence[str], overrides: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    settings = [part for override in overrides for part in ("--set", override)]
    line = [sys.executable, "-m", "pipeline", *arguments, *settings]
    done = subprocess.run(line, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done
