"""A Trainer whose process and disk are lost, twice: what remains is a real S3 server on this machine's loopback."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from lost_pods import PLACE, bucket, keys, lines_until, start, wait_for_next_state
from numpy.typing import NDArray
from trainer_examples import shapes_examples

EPOCHS = 10
POD = """
import test_image_trainer as t

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
    with bucket(monkeypatch) as client:
        yield client


def pod(examples: Path, output: Path, place: str, pause: float = 0.0) -> "subprocess.Popen[str]":
    """Start a Trainer in a process of its own, with no folder that an earlier one had."""
    script = POD.format(examples=str(examples), output=str(output), place=place, epochs=EPOCHS)
    return start(script, __file__, pause)


def variables(output: Path) -> dict[str, NDArray[Any]]:
    reader = tf.train.load_checkpoint(str(output / "model" / "Format-Serving" / "variables" / "variables"))
    names = [name for name in reader.get_variable_to_shape_map() if name != "_CHECKPOINTABLE_OBJECT_GRAPH"]
    return {name: reader.get_tensor(name) for name in names}


@pytest.mark.training
def test_a_trainer_lost_twice_ends_with_the_weights_of_an_undisturbed_one(
    examples: Path, store: Any, tmp_path: Path
) -> None:
    for number, epoch in enumerate((2, 4)):
        process = pod(examples, tmp_path / f"pod-{number}", PLACE, pause=1.0)
        lines = lines_until(process, f"epoch  {epoch}/{EPOCHS}")
        wait_for_next_state(store)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert any("Continuing after epoch" in line for line in lines) == (number == 1)

    last = pod(examples, tmp_path / "last", PLACE)
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
    assert not keys(store)  # no longer needed
