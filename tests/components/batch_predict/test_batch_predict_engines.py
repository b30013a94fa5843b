"""Predictions at scale on engines: a Dask cluster of processes, and what a Flink or Spark job server sees of us."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from beam_engine import Engine, JobService, WorkerPool
from dask_cluster import DaskCluster
from served_faces import draw_served, export_model
from waiting import until

from components.batch_predict.options import PredictOptions
from components.batch_predict.predict import predict
from components.images.codec import MAX_PIXELS
from components.work.options import BeamOptions
from components.work.unit import WorkError

pytestmark = pytest.mark.e2e

OPTIONS = PredictOptions(images_per_shard=2, batch_size=2)
SHARDS = 12


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model, and a folder of images."""
    base = tmp_path_factory.mktemp("served")
    return export_model(base / "model" / "1"), draw_served(base / "faces")


@pytest.fixture(scope="module")
def done(served: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    output = tmp_path_factory.mktemp("done") / "predictions"
    run(served, output, BeamOptions(workers=1))
    return content(output)


def run(served: tuple[Path, Path], output: Path, beam: BeamOptions) -> dict[str, Any]:
    model, folder = served
    return predict(str(folder), str(model), str(output), OPTIONS, beam, max_pixels=MAX_PIXELS)


def content(output: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(output.iterdir())}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path)
    yield engine
    engine.close()


def test_two_worker_pools_behind_a_job_server_write_the_same_bytes(
    served: tuple[Path, Path], done: dict[str, bytes], engine: Engine, tmp_path: Path
) -> None:
    run(served, tmp_path / "out", BeamOptions(runner="PortableRunner", options=engine.options()))
    assert content(tmp_path / "out") == done
    assert [pool.started() for pool in engine.pools] == [1, 1]


def test_a_dask_worker_that_dies_costs_nothing_but_time(
    served: tuple[Path, Path], done: dict[str, bytes], tmp_path: Path
) -> None:
    cluster = DaskCluster(tmp_path)
    output, killed, over = tmp_path / "out", [], threading.Event()

    def kill_one() -> None:
        while not over.wait(0.01):
            if finished := len(list(output.glob("predictions-*"))):
                cluster.workers[0].send_signal(signal.SIGKILL)
                killed.append(finished)
                return

    killer = threading.Thread(target=kill_one)
    killer.start()
    options = (f"--dask_client_address={cluster.address}", "--dask_npartitions=16")
    try:
        run(served, output, BeamOptions(runner="apache_beam.runners.dask.dask_runner.DaskRunner", options=options))
    finally:
        over.set()
        killer.join()
        cluster.close()
    assert killed
    assert killed[0] < SHARDS
    assert cluster.workers[0].poll() == -signal.SIGKILL
    assert content(output) == done


def test_a_pool_whose_python_lacks_beam_is_told_by_what_to_look_at(served: tuple[Path, Path], tmp_path: Path) -> None:
    bare = tmp_path / "bin" / "python"
    bare.parent.mkdir()
    bare.write_text('#!/bin/sh\nexec python3 -I -S "$@"\n')
    bare.chmod(0o755)
    service, pool = JobService(tmp_path), WorkerPool(tmp_path, f"{bare.parent}{os.pathsep}{os.environ['PATH']}")
    options = (
        f"--job_endpoint=127.0.0.1:{service.port}",
        "--environment_type=EXTERNAL",
        f"--environment_config=127.0.0.1:{pool.port}",
        "--job_server_timeout=5",
    )
    try:
        with pytest.raises(
            WorkError, match=rf"look at the log of the worker pool at 127\.0\.0\.1:{pool.port}: the `py"
        ):
            run(served, tmp_path / "out", BeamOptions(runner="PortableRunner", options=options))
        # What the message leads to, be it that the job server asks for a worker only now.
        until(lambda: "No module named 'apache_beam'" in pool.log.read_text())
    finally:
        service.close()
        pool.close()
