"""What `affect run` refuses by its exit status and one line."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from components.models.torch_weights import expected_shapes

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "train.epoch=1"], "unknown key train.epoch"),
        (["--config", "nothing.yaml"], "no configuration file nothing.yaml"),
        (["--data", "/nowhere"], "no such folder: /nowhere"),
        (["--set", "model.weights=gone.keras"], "model.weights names gone.keras, which isn't there"),
        (["--set", "model.weights=s3://bucket/7"], "model.weights names s3://bucket/7, which isn't there"),
        (["--set", "model.weights=/tmp"], "model.weights names the folder /tmp, in which there is no saved_model.pb"),
        (["--set", "data.labels_csv=gone.csv"], "data.labels_csv names gone.csv, which isn't there"),
        (["--nonsense"], "No such option"),
    ],
)
def test_bad_usage_exits_with_two_and_one_line(arguments: list[str], message: str, tmp_path: Path) -> None:
    line = [sys.executable, "-m", "pipeline", "run", "--workdir", str(tmp_path), *arguments]

    done = subprocess.run(line, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_weights_of_another_architecture_are_refused_before_anything_runs(tmp_path: Path) -> None:
    tensors = {name: np.zeros(shape, np.float16) for name, shape in expected_shapes("resnet34", 3).items()}
    save_file(tensors, tmp_path / "r34.safetensors")
    weights = f"model.weights={tmp_path / 'r34.safetensors'}"
    line = [sys.executable, "-m", "pipeline", "run", "--workdir", str(tmp_path / "work"), "--set", weights]

    done = subprocess.run(line, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "It looks like resnet34: set model.architecture=resnet34." in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "work" / "artifacts").exists()
