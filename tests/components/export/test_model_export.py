"""ModelExport from its artifacts: what it writes, measures and records."""

from pathlib import Path
from typing import Any

import keras
import pytest
import tensorflow as tf
from explained_data import LABELS, clouds, write_dataset
from tfx.types import standard_artifacts

from components.export.executor import Executor
from components.export.options import ExportOptions
from components.formats.artifacts import Analysis, ImageDataset
from components.formats.exports import EXPORTS, agreeing_files
from components.formats.predictions import write_predictions
from components.images.options import ImageOptions
from components.training.export import export

TEST = clouds("test", 20, 200)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A model, images, and what it says of them; but of one the Evaluator is made to have heard the opposite."""
    folder = tmp_path_factory.mktemp("artifacts")
    keras.utils.set_random_seed(0)
    image = keras.Input((32, 32, 3))
    maps = keras.layers.Conv2D(8, 5, 4, activation="relu")(keras.layers.Rescaling(1 / 255)(image))
    pooled = keras.layers.GlobalAveragePooling2D(name="avg_pool")(maps)
    network = keras.Model(image, keras.layers.Dense(2, name="predictions")(pooled))
    saved = folder / "model" / "Format-Serving"
    export(network, str(saved), LABELS, ImageOptions(height=32, width=32), 0.5, {"temperature": 0.5})
    write_dataset(folder / "dataset", {"train": clouds("train", 30, 0), "eval": clouds("eval", 2, 100), "test": TEST})
    signature = tf.saved_model.load(str(saved)).signatures["serving_default"]
    said = signature(image_bytes=tf.constant([one.image for one in TEST]))["probabilities"].numpy()
    said[7] = said[7, ::-1]
    (folder / "evaluation").mkdir()
    write_predictions([one.id for one in TEST], said, folder / "evaluation")
    found = {"model": standard_artifacts.Model(), "dataset": ImageDataset(), "evaluation": Analysis()}
    for name, artifact in found.items():
        artifact.uri = str(folder / name)
    return {name: [artifact] for name, artifact in found.items()}


def exported(inputs: dict[str, Any], folder: Path, formats: list[str], min_agreement: float) -> Analysis:
    output = Analysis()
    output.uri = str(folder / "exports")
    options = ExportOptions.model_validate({"formats": formats, "min_agreement": min_agreement})
    Executor().Do(inputs, {"exports": [output]}, {"options": options.model_dump_json()})
    return output


def test_each_format_is_measured_on_all_test_images(inputs: dict[str, Any], tmp_path: Path) -> None:
    output = exported(inputs, tmp_path, ["saved_model", "litert", "litert-int8", "onnx"], 0.9)

    found = EXPORTS.read(output.uri)
    assert [one["format"] for one in found["files"]] == ["litert", "litert-int8", "onnx"]
    assert found["images"] == 20
    for one in found["files"]:
        assert one["agreement"] == pytest.approx(0.95)
        assert one["agrees"]
        assert one["mebibytes"] == (Path(output.uri) / one["file"]).stat().st_size / 2**20
        assert one["milliseconds"] > 0
        assert one["accuracy"]["low"] < one["accuracy"]["value"] < one["accuracy"]["high"]
    assert abs(found["files"][0]["accuracy"]["value"] - found["saved_model"]["accuracy"]["value"]) == pytest.approx(
        0.05
    )
    assert output.get_float_custom_property("litert_int8_agreement") == pytest.approx(0.95)
    assert agreeing_files(output.uri) == ["model.tflite", "model.int8.tflite", "model.onnx"]


def test_a_file_that_agrees_too_little_is_marked(inputs: dict[str, Any], tmp_path: Path) -> None:
    output = exported(inputs, tmp_path, ["saved_model", "litert"], 0.96)

    assert agreeing_files(output.uri) == []
    assert output.get_int_custom_property("litert_agrees") == 0
