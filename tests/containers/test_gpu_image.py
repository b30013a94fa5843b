"""The image with CUDA, which is 4.4 GB larger: built and looked at only with GPU_IMAGE=1. No GPU is needed."""

import json
import os
from pathlib import Path

import pytest
from engine import HERE, Engine

pytestmark = [
    pytest.mark.containers,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.environ.get("GPU_IMAGE") != "1", reason="GPU_IMAGE=1 builds the image with CUDA"),
]
IMAGE = "localhost/affect:gpu"


@pytest.fixture(scope="module")
def image(engine: Engine) -> str:
    engine.build(IMAGE, "runtime", settings={"GPU": "1"})
    return IMAGE


def test_tensorflow_finds_cudas_libraries_and_they_load(engine: Engine, image: str) -> None:
    """Where TensorFlow looks is in its own library; a missing one would keep it from a GPU without an error."""
    found = engine.run(image, ["python", "/tests/cuda_libraries.py"], volumes={HERE: "/tests:ro"})

    libraries = json.loads(found.stdout.splitlines()[-1])
    assert {"cublas", "cudart", "cudnn", "cufft", "cusolver", "cusparse", "nccl"} <= set(libraries)
    assert set(libraries.values()) == {"loaded"}


def test_without_a_gpu_it_trains_on_the_processor_and_says_so(engine: Engine, image: str, folder: Path) -> None:
    sets = ["train.epochs=1", "train.warmup_epochs=0", "image.height=32", "image.width=32", "evaluate.min_accuracy=0"]
    data, volumes = str(folder / "faces"), {folder: str(folder)}
    engine.run(image, ["python", "-m", "pipeline", "sample-data", data, "--images", "240"], volumes=volumes)
    line = ["python", "-m", "pipeline", "run", "--workdir", str(folder / "gpu"), "--data", data]
    done = engine.run(image, [*line, *(part for one in sets for part in ("--set", one))], volumes=volumes, check=False)

    assert "CUDA's libraries are here and no GPU is: training on the processor" in done.stdout, done.stderr[-2000:]


def test_a_gpu_that_was_asked_for_and_is_not_there_ends_the_training(engine: Engine, image: str) -> None:
    code = "from components.training.precision import find_devices; find_devices()"
    done = engine.run(image, ["python", "-c", code], options=["-e", "PIPELINE_GPUS=1"], check=False)

    assert "1 GPU(s) were asked for (PIPELINE_GPUS=1), and TensorFlow sees 0" in done.stderr
