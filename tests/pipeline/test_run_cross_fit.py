"""A whole run with folds and an averaged model: small faces and one epoch, since what is tested is the running."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from click.testing import CliRunner
from whole_pipeline import Result, command, run

from components.formats.folds import CROSS_FIT
from pipeline.cli import main
from pipeline.local.workdir import Workdir
from pipeline.sample.dataset import write_sample_data

pytestmark = pytest.mark.e2e
_OPTIONS = ("evaluate.folds=2", "push.ensemble=true", "tracking.tensorboard=false")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A run that was killed in its second fold, and finished by the next."""
    folder = tmp_path_factory.mktemp("cross-fit")
    write_sample_data(folder / "faces", 160)
    process = subprocess.Popen(
        command(folder / "faces", folder / "work", _OPTIONS, config="cross-fit"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 400
    artifacts = Workdir(folder / "work").artifacts
    while not list(artifacts.glob("Trainer.fold-2/model/*")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return folder, run(folder / "faces", folder / "work", *_OPTIONS, config="cross-fit")


@pytest.fixture
def artifacts(first: tuple[Path, Result]) -> Path:
    folder, result = first
    assert result.status == 0, result.text
    return Workdir(folder / "work").artifacts


def made(artifacts: Path, name: str) -> Path:
    """Return the newest artifact: the killed run may have left one that is not whole."""
    return max(artifacts.glob(f"{name}/*"), key=lambda path: int(path.name))


def test_a_run_killed_in_a_fold_goes_on_with_that_fold(first: tuple[Path, Result], artifacts: Path) -> None:
    assert {"Trainer", "Trainer.fold-1"} <= first[1].having("cached")
    assert {"Trainer.fold-2", "CrossFit", "Ensemble"} <= first[1].having("done")


def test_every_image_is_predicted_by_a_model_that_has_not_seen_it(artifacts: Path) -> None:
    rows = pq.read_table(made(artifacts, "PredictionAnalysis/analysis") / "predictions.parquet").to_pylist()
    analysis = json.loads((made(artifacts, "PredictionAnalysis/analysis") / "analysis.json").read_text())

    assert len({row["filename"] for row in rows}) == len(rows) == 160
    assert {row["split"] for row in rows} == {"train", "eval", "test"}
    assert analysis["cross_fit"] == CROSS_FIT.read(made(artifacts, "CrossFit/cross_fit"))
    assert analysis["cross_fit"]["images"] == sum(row["split"] != "test" for row in rows)


def test_the_pushed_model_answers_with_the_mean_of_the_folds_models(
    first: tuple[Path, Result], artifacts: Path
) -> None:
    [version] = Workdir(first[0] / "work").serving_model.iterdir()
    images = tf.constant([path.read_bytes() for path in sorted(first[0].glob("faces/train/*/*"))[::20]])

    def answers(folder: Path) -> Any:
        return tf.saved_model.load(str(folder)).signatures["serving_default"](image_bytes=images)["probabilities"]

    members = [made(artifacts, f"Trainer.fold-{fold}/model") / "Format-Serving" for fold in (1, 2)]
    np.testing.assert_allclose(answers(version), np.mean([answers(one) for one in members], axis=0), atol=1e-5)
    assert "the mean probabilities of 2 networks" in (version / "assets.extra" / "model_card.md").read_text()


def test_the_report_shows_the_folds(first: tuple[Path, Result], artifacts: Path) -> None:
    page = Workdir(first[0] / "work").report.read_text()

    assert "Scores by fold" in page
    assert "2 × resnet18" in page
    assert 'href="#node-Trainer.fold-2"' in page


def test_inspect_tells_the_trainers_apart(first: tuple[Path, Result], artifacts: Path) -> None:
    words = ["inspect", "executions", "latest", "--workdir", str(first[0] / "work"), "--json"]
    rows = json.loads(CliRunner().invoke(main, words).output)

    assert {"Trainer", "Trainer.fold-1", "Trainer.fold-2", "CrossFit", "Ensemble"} <= {row["component"] for row in rows}


def test_an_unchanged_second_run_trains_no_fold_again(first: tuple[Path, Result], artifacts: Path) -> None:
    result = run(first[0] / "faces", first[0] / "work", *_OPTIONS, config="cross-fit")

    assert result.status == 0, result.text
    assert result.having("cached") == set(result.states)
