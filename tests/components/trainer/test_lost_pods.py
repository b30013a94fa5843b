"""A Trainer whose process and disk are lost, twice: what remains is a real S3 server on this machine's loopback."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import object_store
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from object_store import KEYS, s3_server
from trainer_examples import shapes_examples

PATHS = [str(Path(__file__).parent), str(Path(object_store.__file__).parent)]
EPOCHS = 10

POD = """
import json, pathlib, sys, time
sys.path[:0] = {paths!r}
import test_image_trainer as t
from components.models import resnets
from components.training import epoch_log, kept_state

resnets.BLOCKS["resnet18"] = ("basic", (1, 1, 1))  # three of the eight blocks
kept_state.PAUSE = 0.0  # epochs are shorter than a minute here
end_of_epoch = epoch_log.EpochLog.on_epoch_end

def slowly(self, epoch, logs=None):
    end_of_epoch(self, epoch, logs)
    time.sleep({pause})

epoch_log.EpochLog.on_epoch_end = slowly
examples = t.examples_artifact(pathlib.Path({examples!r}))
options = t.TRAIN.model_copy(update={{"epochs": {epochs}}})
component = t.trainer(examples, train_options=options, seed=3, checkpoint_dir={place!r})
t.execute(component, examples, pathlib.Path({output!r}))
"""


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shapes_examples(tmp_path_factory.mktemp("lost"), train=48, evaluation=12)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with s3_server() as port:
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}.items():
            monkeypatch.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket="root")
        yield client


def pod(examples: Path, output: Path, place: str, pause: float = 0.0) -> subprocess.Popen[str]:
    """Start a Trainer in a process of its own, with no folder that an earlier one had."""
    script = POD.format(
        paths=PATHS, examples=str(examples), output=str(output), place=place, pause=pause, epochs=EPOCHS
    )
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=dict(os.environ))


def lines_until(process: subprocess.Popen[str], beginning: str) -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(beginning):
            return lines
    raise AssertionError("".join(lines))


def tag_of_state(store: Any) -> str:
    """The tag of what the store holds; "" for nothing."""
    found = store.list_objects_v2(Bucket="root").get("Contents", [])
    return "".join(one["ETag"] for one in found if one["Key"].endswith("training.npz"))


def wait_for_next_state(store: Any) -> None:
    before = tag_of_state(store)
    for _ in range(600):
        if tag_of_state(store) != before:
            return
        time.sleep(0.05)
    raise AssertionError("no new state in the store")


def variables(output: Path) -> dict[str, NDArray[Any]]:
    reader = tf.train.load_checkpoint(str(output / "model" / "Format-Serving" / "variables" / "variables"))
    names = [name for name in reader.get_variable_to_shape_map() if name != "_CHECKPOINTABLE_OBJECT_GRAPH"]
    return {name: reader.get_tensor(name) for name in names}


@pytest.mark.training
def test_a_trainer_lost_twice_ends_with_the_weights_of_an_undisturbed_one(
    examples: Path, store: Any, tmp_path: Path
) -> None:
    place = "minio://root/affect/checkpoints"
    for number, epoch in enumerate((2, 4)):
        process = pod(examples, tmp_path / f"pod-{number}", place, pause=1.0)
        lines = lines_until(process, f"epoch  {epoch}/{EPOCHS}")
        wait_for_next_state(store)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert any("Continuing after epoch" in line for line in lines) == (number == 1)

    last = pod(examples, tmp_path / "last", place)
    continued = lines_until(last, "Continuing after epoch ")
    last.communicate()
    undisturbed = pod(examples, tmp_path / "undisturbed", "")
    undisturbed.communicate()

    assert last.returncode == undisturbed.returncode == 0
    assert int(continued[-1].split()[3]) >= 3
    one, other = variables(tmp_path / "last"), variables(tmp_path / "undisturbed")
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)
    histories = [
        [(row["loss"], row["val_loss"]) for row in json.loads(file.read_text("utf-8"))["history"]]
        for file in (tmp_path / name / "model_run" / "training.json" for name in ("last", "undisturbed"))
    ]
    assert histories[0] == histories[1]
    assert "Contents" not in store.list_objects_v2(Bucket="root")  # no longer needed
