"""The job that Dataflow would get: its graph and its options are built and checked, and nothing is submitted."""

from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions, WorkerOptions
from apache_beam.runners.dataflow.dataflow_runner import DataflowRunner
from drawn_images import draw_folder

from components.batch_predict.find import find
from components.batch_predict.on_beam import PredictParts
from components.batch_predict.options import PredictOptions
from components.batch_predict.place import Place
from components.batch_predict.predict_part import Asked
from components.batch_predict.served_model import About
from components.work.engine import run_units
from components.work.options import BeamOptions
from components.work.unit import WorkError

IMAGE = "europe-docker.pkg.dev/mine/affect/affect:1"
OPTIONS = (
    "--project=mine",
    "--region=europe-west4",
    "--job_name=affect-predict",
    "--temp_location=gs://mine/tmp",
    "--staging_location=gs://mine/staging",
    f"--sdk_container_image={IMAGE}",
    "--sdk_location=container",
    "--max_num_workers=40",
    "--dry_run=True",
)


@pytest.fixture
def transform() -> PredictParts:
    asked = Asked(batch_size=64, max_pixels=50_000_000, embeddings=False)
    return PredictParts("gs://mine/models/1", About(["a", "b"], "0123"), asked, Place("gs://mine/out"), 9)


def test_the_jobs_graph_holds_our_stages_our_image_and_no_picture(transform: PredictParts, tmp_path: Path) -> None:
    folder = draw_folder(tmp_path / "faces", {"a": 9})
    parts = find(str(folder), PredictOptions(images_per_shard=1)).parts
    runner = DataflowRunner()

    with beam.Pipeline(runner=runner, options=PipelineOptions(list(OPTIONS))) as pipeline:
        _ = pipeline | beam.Create(parts, reshuffle=False) | transform

    graph = runner.job.proto_pipeline
    names = {one.unique_name for one in graph.components.transforms.values()}
    assert any(name.startswith("PredictParts/RunInference") for name in names)
    images = {env.payload.decode(errors="replace") for env in graph.components.environments.values()}
    assert all(IMAGE in payload for payload in images)
    assert images
    assert not any(path.read_bytes() in graph.SerializeToString() for path in folder.rglob("*.jpg"))
    assert runner.job.proto.name == "affect-predict"
    asked = runner.job.options
    assert asked.view_as(GoogleCloudOptions).temp_location.startswith("gs://mine/tmp/affect-predict")
    assert asked.view_as(WorkerOptions).max_num_workers == 40


def test_options_go_through_the_engine_as_they_are(transform: PredictParts, tmp_path: Path) -> None:
    parts = find(str(draw_folder(tmp_path / "faces", {"a": 2})), PredictOptions()).parts

    run_units(parts, transform, BeamOptions(runner="DataflowRunner", options=OPTIONS), seconds=0.0)

    wrong = tuple(option.replace("project=mine", "project=No such") for option in OPTIONS)
    with pytest.raises(WorkError, match="Invalid Project ID"):
        run_units(parts, transform, BeamOptions(runner="DataflowRunner", options=wrong), seconds=0.0)
