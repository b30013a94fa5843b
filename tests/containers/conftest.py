"""One engine, one image, one run of the pipeline for all container tests."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from container_run import Run
from engine import HERE, RUNTIME, STATE, TESTS, Engine, bring_up
from unit_tests import Finished, run_unit_tests

# An ordinary test run builds no images: `make test-containers` does.
collect_ignore_glob = [] if os.environ.get("CONTAINERS") == "1" else ["test_*.py"]

# Small and quick; `train.deterministic` is the default.
SETTINGS = (
    "train.epochs=1",
    "train.warmup_epochs=0",
    "image.height=32",
    "image.width=32",
    "evaluate.min_accuracy=0",
    "evaluate.beat_baselines=false",
    "evaluate.bootstrap=20",
    "split.group_regex=^(id[0-9]+)_",
)
IMAGES = 240


@pytest.fixture(scope="session")
def engine() -> Engine:
    os.environ.pop("TMPDIR", None)  # of these tests, which the engine's service outlives
    found = bring_up()
    found.build(RUNTIME, "runtime")
    found.build(TESTS, "tests")
    return found


@pytest.fixture(scope="session")
def unit_tests(engine: Engine) -> Iterator[Finished]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(run_unit_tests, engine)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the image's user may write to, at the same path inside and outside."""
    path = tmp_path_factory.mktemp("root")
    for part in (path, *path.parents[:3]):
        if part != Path("/tmp"):
            part.chmod(0o777)
    return path


@pytest.fixture(scope="session")
def run(engine: Engine, folder: Path) -> Run:
    """The compiled pipeline, run in containers, and the same configuration run locally in the image."""
    root = folder / "pipeline"
    root.mkdir(mode=0o777)
    root.chmod(0o777)
    volumes = {folder: str(folder)}
    sets = [part for setting in SETTINGS for part in ("--set", setting)]
    data, compiled = str(root / "data"), root / "affect.yaml"
    engine.run(RUNTIME, ["python", "-m", "pipeline", "sample-data", data, "--images", str(IMAGES)], volumes=volumes)
    command = ["python", "-m", "pipeline", "compile", "--output", str(compiled), "--image", RUNTIME]
    command += ["--pipeline-root", str(root), "--data", data, *sets]
    engine.run(RUNTIME, command, volumes=volumes)
    done = engine.run(
        TESTS,
        ["python", "/tests/run_pipeline.py", str(compiled), str(root)],
        volumes={**volumes, HERE: "/tests:ro", Path(engine.socket): engine.socket},
        user="0:0",
        options=["-e", f"DOCKER_HOST=unix://{engine.socket}"],
        check=False,
    )
    log = done.stdout + done.stderr
    STATE.mkdir(parents=True, exist_ok=True)
    (STATE / "pipeline.log").write_text(log, "utf-8")
    assert done.returncode == 0, log[-6000:]
    local = folder / "local"
    engine.run(
        RUNTIME,
        ["python", "-m", "pipeline", "run", "--data", data, "--workdir", str(local), *sets],
        volumes=volumes,
    )
    [tasks] = root.glob("facial-affect-*")
    return Run(root, tasks, local, log)
