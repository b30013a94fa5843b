"""A Tuner whose process and disk are lost, twice: what remains is a real S3 server on this machine's loopback."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lost_pods import PLACE, bucket, keys, lines_until, start, wait_for_next_state
from trainer_examples import shapes_examples

from components.training.checkpoint import FILE_NAME

POD = """
import test_image_tuner as t

options = t.TunerOptions(architectures=("resnet18", "resnet34"), epochs=8)
t.search(t.examples_artifact({examples!r}), pathlib.Path({output!r}), options, checkpoints={place!r}, epochs=16)
"""
_CLOCKS = ("seconds", "images_per_second")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with bucket(monkeypatch) as client:
        yield client


def pod(examples: Path, output: Path, place: str, pause: float = 0.0) -> "subprocess.Popen[str]":
    """Start a Tuner in a process of its own, with no folder that an earlier one had."""
    output.mkdir()
    return start(POD.format(examples=str(examples), output=str(output), place=place), __file__, pause)


def leaderboard(output: Path) -> list[dict[str, Any]]:
    rows = json.loads((output / "results" / "leaderboard.json").read_text("utf-8"))
    return [{key: value for key, value in row.items() if key not in _CLOCKS} for row in rows]


@pytest.mark.training
def test_a_search_lost_twice_ends_as_an_undisturbed_one(store: Any, tmp_path: Path) -> None:
    examples = shapes_examples(tmp_path / "examples", train=36, evaluation=12)
    first = pod(examples, tmp_path / "first", PLACE, pause=1.0)
    lines_until(first, "epoch  2/")  # of the first trial
    wait_for_next_state(store)
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = pod(examples, tmp_path / "second", PLACE, pause=1.0)
    before = lines_until(second, "Trial 1 ")
    lines_until(second, "epoch  2/")  # of the second
    wait_for_next_state(store)
    second.send_signal(signal.SIGKILL)
    second.wait()

    third = pod(examples, tmp_path / "third", PLACE)
    lines = lines_until(third, "Trial 2 ")
    third.communicate()
    undisturbed = pod(examples, tmp_path / "undisturbed", str(tmp_path / "kept"))
    undisturbed.communicate()

    assert third.returncode == undisturbed.returncode == 0
    for said in (before, lines):  # each went on within a trial, and none did again what was done
        assert sum(line.startswith("Continuing after epoch") for line in said) == 1
        assert not any(line.startswith("epoch  1/") for line in said)
    assert leaderboard(tmp_path / "third") == leaderboard(tmp_path / "undisturbed")
    chosen = [
        (tmp_path / name / "best" / "best_hyperparameters.txt").read_text("utf-8") for name in ("third", "undisturbed")
    ]
    assert chosen[0] == chosen[1]
    states = [np.load(tmp_path / name / "best" / FILE_NAME) for name in ("third", "undisturbed")]
    assert states[0].files == states[1].files
    differing = [name for name in states[0].files if not np.array_equal(states[0][name], states[1][name])]
    assert differing in ([], ["meta"])  # the seconds that its epochs took are in that
    assert not keys(store)  # no longer needed
