"""ModelExplanation from its artifacts: an untrained model, which takes nearly everything for one class."""

import base64
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from explained_data import LABELS, cloud, clouds, row, untrained_model, write_dataset
from tfx.types import standard_artifacts
from tfx.types.artifact import Artifact

from components.explanation.executor import Executor
from components.explanation.options import ExplainOptions
from components.formats.artifacts import Analysis, ImageDataset
from components.formats.dataset import NEAR_DUPLICATES, ImageRow, read_table, write_table
from components.formats.documents import ANALYSIS, EXPLANATION, PREDICTIONS
from components.images.codec import decode, encode

RIGHT = "test/right.png"  # of the only class that is predicted


def data() -> dict[str, list[ImageRow]]:
    versions = [row("test/xy.jpg", "test", encode(cloud(3), "jpeg", 60)), row(RIGHT, "test", encode(cloud(900), "png"))]
    copy = row("test/copy.png", "test", encode(cloud(901), "png"), copy=1)
    return {
        "train": clouds("train", 30, 0),
        "eval": clouds("eval", 10, 100),
        "test": [*clouds("test", 20, 200), *versions, copy],
    }


def write_analysis(folder: Path) -> None:
    """Write predictions of which half are wrong, with those that are surest first."""
    folder.mkdir()
    test = data()["test"]
    predicted = dict.fromkeys((one.id for one in test), LABELS[0])
    wrong = [one for one in test if one.label != LABELS[0]]
    table = {"split": ["test"] * len(test), "filename": list(predicted), "predicted": list(predicted.values())}
    write_table(pa.table(table), folder / PREDICTIONS)
    mistakes = [{"filename": one.id, "true": one.label, "predicted": LABELS[0], "score": 0.9} for one in wrong]
    ANALYSIS.write({"labels": LABELS, "test": {"mistakes": mistakes}}, folder)


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    folder = tmp_path_factory.mktemp("artifacts")
    taken: dict[str, Artifact] = {
        "model": standard_artifacts.Model(),
        "dataset": ImageDataset(),
        "analysis": Analysis(),
    }
    for name, artifact in taken.items():
        artifact.uri = str(folder / name)
    untrained_model(folder / "model" / "Format-Serving")
    write_dataset(folder / "dataset", data())
    write_analysis(folder / "analysis")
    return taken


def execute(taken: dict[str, Artifact], folder: Path) -> Analysis:
    made = Analysis()
    made.uri = str(folder)
    values = {"options": ExplainOptions(map_points=100).model_dump_json(), "seed": 0}
    Executor().Do({name: [one] for name, one in taken.items()}, {"explanation": [made]}, values)
    return made


@pytest.fixture(scope="module")
def explanation(taken: dict[str, Artifact], tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return execute(taken, tmp_path_factory.mktemp("explanation"))


@pytest.fixture(scope="module")
def found(explanation: Analysis) -> dict[str, Any]:
    return EXPLANATION.read(explanation.uri)


def side(uri: str) -> int:
    return max(decode(base64.b64decode(uri.partition(",")[2])).pixels.shape[:2])


def test_each_mistake_has_two_heat_maps_and_the_three_nearest_of_train(found: dict[str, Any]) -> None:
    wrong = [one.id for one in data()["test"] if one.label != LABELS[0]]

    assert [one["filename"] for one in found["mistakes"]] == wrong[:24]
    for one in found["mistakes"]:
        assert [side(uri) for uri in one["heat"].values()] == [64, 64]
        assert len({near["filename"] for near in one["neighbours"]}) == 3
        assert all(near["filename"].startswith("train/") and side(near["picture"]) == 64 for near in one["neighbours"])


def test_a_version_of_a_mistake_in_train_is_said_to_be_one(found: dict[str, Any]) -> None:
    told = {one["filename"]: (one["hint"], one["neighbours"][0]["filename"]) for one in found["mistakes"]}
    same = next(name for name in told if name == "test/xy.jpg")

    assert told[same] == (
        "the same picture seems to be in train, as land: is one of the labels wrong?",
        "train/x3.png",
    )
    assert {hint for name, (hint, _) in told.items() if name != same} == {""}


def test_the_map_has_all_originals_of_test_and_tells_what_is_wrong(found: dict[str, Any]) -> None:
    originals = [one for one in data()["test"] if one.copy == 0]
    chart = found["map"]

    assert chart["filename"] == [one.id for one in originals]
    assert [LABELS[index] for index in chart["true"]] == [one.label for one in originals]
    assert set(chart["predicted"]) == {0}
    assert chart["images"] == len(originals) == len(chart["x"]) == len(chart["y"])
    assert chart["mistakes"] == sum(one.label != LABELS[0] for one in originals)


def test_typical_images_are_right_ones(found: dict[str, Any]) -> None:
    right = {one.id for one in data()["test"] if one.label == LABELS[0]}

    [of_class] = found["typical"]
    assert of_class["label"] == LABELS[0]
    assert len({one["filename"] for one in of_class["images"]} & right) == 3


def test_the_planted_version_is_the_only_near_duplicate(found: dict[str, Any], explanation: Analysis) -> None:
    [pair] = found["near_duplicates"]["shown"]
    table = read_table(Path(explanation.uri) / NEAR_DUPLICATES).to_pylist()

    assert [one["filename"] for one in pair["images"]] == ["test/xy.jpg", "train/x3.png"]
    assert (found["near_duplicates"]["pairs"], found["near_duplicates"]["test_images"]) == (1, 1)
    assert [(one["image"], one["other"], one["image_split"]) for one in table] == [
        ("test/xy.jpg", "train/x3.png", "test")
    ]
    assert explanation.get_int_custom_property("near_duplicates") == 1
    assert explanation.get_int_custom_property("embedded") == 62


def test_the_same_artifacts_give_the_same_bytes(
    taken: dict[str, Artifact], explanation: Analysis, tmp_path: Path
) -> None:
    again = execute(taken, tmp_path / "again")

    for name in (EXPLANATION.name, NEAR_DUPLICATES):
        assert (Path(again.uri) / name).read_bytes() == (Path(explanation.uri) / name).read_bytes()


def test_a_model_of_an_earlier_version_is_refused_with_the_remedy(taken: dict[str, Artifact], tmp_path: Path) -> None:
    tf.saved_model.save(tf.Module(), str(tmp_path / "Format-Serving"))
    earlier = standard_artifacts.Model()
    earlier.uri = str(tmp_path)

    with pytest.raises(ValueError, match="no signature embed and explain: .* set explain.enabled=false"):
        execute({**taken, "model": earlier}, tmp_path / "explanation")
    assert not (tmp_path / "explanation").exists()


def test_a_map_that_cannot_be_made_stops_before_the_model_is_asked(
    taken: dict[str, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"options": ExplainOptions(map="umap").model_dump_json(), "seed": 0}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(ValueError, match="requires the package umap-learn"):
        Executor().Do({name: [one] for name, one in taken.items()}, {"explanation": [Analysis()]}, values)


def test_without_test_images_there_is_an_explanation_all_the_same(taken: dict[str, Artifact], tmp_path: Path) -> None:
    without = {name: type(one)() for name, one in taken.items()}
    for name, one in without.items():
        one.uri = str(tmp_path / name)
    shutil.copytree(taken["model"].uri, without["model"].uri)
    write_dataset(tmp_path / "dataset", {"train": clouds("train", 3, 0)})
    (tmp_path / "analysis").mkdir()
    columns = dict.fromkeys(("split", "filename", "predicted"), pa.array([], pa.string()))
    write_table(pa.table(columns), tmp_path / "analysis" / PREDICTIONS)
    ANALYSIS.write({"labels": LABELS, "test": {"mistakes": []}}, tmp_path / "analysis")

    found = EXPLANATION.read(execute(without, tmp_path / "explanation").uri)

    assert (found["mistakes"], found["typical"], found["map"]["x"]) == ([], [], [])
    assert found["near_duplicates"]["pairs"] == 0
    assert np.isfinite(found["near_duplicates"]["rule"]["cosine"])
