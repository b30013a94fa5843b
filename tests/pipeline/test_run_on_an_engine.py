"""The whole pipeline with its Beam work in two worker pools behind a job server, as Flink's and Spark's have it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from beam_engine import Engine
from whole_pipeline import run

from components.batch_predict.options import PredictOptions
from components.batch_predict.predict import predict
from components.images.codec import MAX_PIXELS
from components.work.options import BeamOptions
from pipeline.local.workdir import Workdir

pytestmark = pytest.mark.e2e


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path)
    yield engine
    engine.close()


def made(workdir: Path, component: str, output: str) -> dict[str, bytes]:
    """The files of an artifact, by path."""
    [folder] = (Workdir(workdir).artifacts / component / output).iterdir()
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_on_two_pools_makes_what_a_run_here_makes(project: Path, engine: Engine, tmp_path: Path) -> None:
    here, there = project / "runs" / "local", tmp_path / "run"
    faces = project / "faces"
    result = run(
        faces,
        there,
        "beam.runner=PortableRunner",
        f"beam.options={json.dumps(engine.options())}",
        f"predict.path={faces}",
        "predict.images_per_shard=100",
    )

    assert result.status == 0, result.text
    assert "240 predictions by version" in result.text
    assert min(pool.started() for pool in engine.pools) >= 3  # the split, the statistics, the Evaluator, BatchPredict
    for component, output in (("SplitBalanceAugment", "dataset"), ("TFRecordConverter", "examples")):
        assert made(there, component, output) == made(here, component, output)
    # Statistics hold quantiles of sketches, and the Evaluator's files the model's path: what is judged by is equal.
    assert json.loads(made(there, "DataGate", "verdict")["gate.json"]) == json.loads(
        made(here, "DataGate", "verdict")["gate.json"]
    )

    [model] = Workdir(there).serving_model.iterdir()
    options = PredictOptions(images_per_shard=100)
    predict(str(faces), str(model), str(tmp_path / "out"), options, BeamOptions(workers=1), max_pixels=MAX_PIXELS)
    local = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert made(there, "BatchPredict", "predictions") == local
