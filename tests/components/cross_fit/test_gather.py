"""Scores over folds, and the artifact that holds all their predictions."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import accuracy_score, f1_score

from components.cross_fit.executor import Executor
from components.cross_fit.gather import summarize
from components.formats.documents import TRAINING
from components.formats.examples import write_labels
from components.formats.folds import CROSS_FIT, write_folds
from components.formats.predictions import read_predictions, write_predictions
from components.plain_executor import PlainArtifact

LABELS = ["anger", "happy", "sad"]


def drawn(images: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 3, images), rng.dirichlet(np.ones(3), images)


def test_mean_and_spread_are_those_of_sklearns_scores_by_fold() -> None:
    predictions = {fold: drawn(40 + fold, fold) for fold in (1, 2, 3)}
    trainings = {fold: {"train_images": 80, "held_out_seen": 0} for fold in predictions}

    found = summarize(predictions, trainings, 3)

    accuracies = [accuracy_score(labels, answers.argmax(axis=1)) for labels, answers in predictions.values()]
    f1 = [f1_score(labels, answers.argmax(axis=1), average="macro") for labels, answers in predictions.values()]
    assert found["accuracy"] == pytest.approx({"mean": np.mean(accuracies), "spread": np.std(accuracies, ddof=1)})
    assert found["macro_f1"] == pytest.approx({"mean": np.mean(f1), "spread": np.std(f1, ddof=1)})
    assert [row["accuracy"] for row in found["folds"]] == pytest.approx(accuracies)
    assert found["images"] == 41 + 42 + 43


def test_the_words_say_what_the_spread_is_no_measure_of() -> None:
    trainings = {fold: {"train_images": 1200, "held_out_seen": 0} for fold in (1, 2)}

    found = summarize({fold: drawn(40, fold) for fold in trainings}, trainings, 3)

    assert "each of a model trained on 1,200 images" in found["text"]
    assert "no standard error" in found["text"]


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (0, "(Bengio & Grandvalet 2004)."),
        (3, "were made from 6 of these images"),
        (None, "don't say what they were made from"),
    ],
)
def test_the_words_say_if_the_weights_know_the_images(seen: int | None, words: str) -> None:
    trainings = {fold: {"train_images": 1200, "held_out_seen": seen} for fold in (1, 2)}

    text = summarize({fold: drawn(40, fold) for fold in trainings}, trainings, 3)["text"]

    assert words in text
    assert ("wrong labels are missed" in text) == (seen != 0)


def artifacts(folder: Path) -> dict[str, list[PlainArtifact]]:
    found = {name: [PlainArtifact(str(folder / name))] for name in ("folds", "labels", "model_run_01", "model_run_02")}
    rows = []
    for fold in (1, 2):
        labels, answers = drawn(30, fold)
        ids = [f"{fold}-{index}" for index in range(30)]
        rows += [
            {"id": name, "split": "train", "label": LABELS[label], "fold": fold}
            for name, label in zip(ids, labels, strict=True)
        ]
        write_predictions(ids, answers.astype(np.float32), folder / f"model_run_0{fold}")
        TRAINING.write({"train_images": 30, "fold": fold, "held_out_seen": 0}, folder / f"model_run_0{fold}")
    write_folds(pa.Table.from_pylist(rows), folder / "folds")
    write_labels(LABELS, folder / "labels")
    return found


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, list[PlainArtifact]]:
    for name in ("folds", "labels", "model_run_01", "model_run_02"):
        (tmp_path / name).mkdir()
    return artifacts(tmp_path)


def test_every_image_has_its_own_folds_prediction(inputs: dict[str, list[PlainArtifact]], tmp_path: Path) -> None:
    made = PlainArtifact(str(tmp_path / "made"))

    Executor().Do({**inputs, "model_run_03": []}, {"cross_fit": [made]}, {})

    ids = [f"{fold}-{index}" for fold in (2, 1) for index in range(30)]
    expected = np.concatenate([drawn(30, fold)[1] for fold in (2, 1)])
    np.testing.assert_allclose(read_predictions(made.uri, ids), expected, atol=1e-6)
    assert made.properties["folds"] == 2
    assert made.properties["accuracy"] == CROSS_FIT.read(made.uri)["accuracy"]["mean"]


def test_an_image_that_its_fold_did_not_predict_is_an_error(
    inputs: dict[str, list[PlainArtifact]], tmp_path: Path
) -> None:
    write_predictions(["2-0"], np.ones((1, 3), np.float32), tmp_path / "model_run_02")

    with pytest.raises(KeyError, match="has no prediction of 2-1"):
        Executor().Do(inputs, {"cross_fit": [PlainArtifact(str(tmp_path / "made"))]}, {})
