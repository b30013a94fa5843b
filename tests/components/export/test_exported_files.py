"""Exported files against the SavedModels that they are made from, each on its own runtime."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from click.testing import CliRunner
from numpy.typing import NDArray
from trainer_examples import draw_shapes

from components.ensemble.combine import combine
from components.export.network import Network
from components.export.runtimes import ExportedModel, image_of, open_exported
from components.export.served_facts import facts_of
from components.formats.examples import write_labels
from components.formats.exports import FILES, Facts, Format
from components.formats.folds import ENSEMBLE
from components.formats.saved_model import ASSETS, SERVE_PIXELS
from components.images.model_input import model_input
from components.images.options import ImageOptions
from components.models.resnets import resnet
from components.training.decoding import decode_image
from components.training.export import export
from components.training.flips import classifier
from pipeline.cli.predict import predict

LABELS = ["circle", "square", "cross"]
THRESHOLDS = [0.5, None, 0.25]
IMAGE = ImageOptions(height=32, width=40)
# `affect predict` where neither TensorFlow nor what stands on it can be imported.
WITHOUT = """
import sys
for name in ("tensorflow", "keras", "tfx", "apache_beam", "tf2onnx"):
    sys.modules[name] = None
from pipeline.cli.predict import predict
predict(sys.argv[1:], prog_name="predict")
"""
# Another process draws the order of its sets otherwise.
AGAIN = """
import sys
from pathlib import Path
from components.export.network import Network
from components.export.served_facts import facts_of
folder = Path(sys.argv[1])
network = Network(folder)
Path(sys.argv[2]).write_bytes(network.to_onnx(facts_of(folder / "assets.extra", "onnx", network.shape)))
Path(sys.argv[3]).write_bytes(network.to_litert(facts_of(folder / "assets.extra", "litert", network.shape)))
"""


def images_of(count: int) -> list[bytes]:
    return draw_shapes(count, size=45)[0]


def told_apart(model: keras.Model, image: ImageOptions) -> keras.Model:
    """Give a network statistics as of a trained one, and a classifier whose answers differ from image to image."""
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if weight.path.endswith(("moving_variance", "gamma")):
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
        elif weight.path.endswith(("moving_mean", "beta")):
            weight.assign(rng.normal(0, 0.1, weight.shape))
    logits = model(np.stack([decode_image(data, image) for data in images_of(9)]), training=False).numpy()
    kernel, bias = model.get_layer("predictions").weights
    kernel.assign(kernel / logits.std(axis=0))
    bias.assign(-logits.mean(axis=0) / logits.std(axis=0))
    return model


def resnet18(image: ImageOptions) -> keras.Model:
    keras.utils.set_random_seed(1)
    shape = (image.height, image.width, image.channels)
    return told_apart(resnet("resnet18", len(LABELS), shape, True, classifier_activation=None), image)


def written(folder: Path, kind: Format, calibration: Sequence[NDArray[np.uint8]] | None = None) -> ExportedModel:
    network = Network(folder)
    facts = facts_of(folder / ASSETS, kind, network.shape)
    path = folder.parent / FILES[kind]
    path.write_bytes(network.to_onnx(facts) if kind == "onnx" else network.to_litert(facts, calibration))
    return open_exported(path)


def asked(model: ExportedModel, images: list[bytes]) -> NDArray[np.float32]:
    return model.probabilities(np.stack([model_input(data, image_of(model.facts)) for data in images]))


def answers(folder: Path, images: list[bytes]) -> NDArray[np.float32]:
    outputs = tf.saved_model.load(str(folder)).signatures["serving_default"](image_bytes=tf.constant(images))
    found = outputs["probabilities"].numpy()
    assert len(set(found.argmax(axis=1))) > 1  # or anything would be as good
    return np.asarray(found)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "saved"
    training = {"temperature": 0.5, "flip_average": True, "answers": {"thresholds": THRESHOLDS}}
    export(resnet18(IMAGE), str(folder), LABELS, IMAGE, 0.5, training, flip_average=True, thresholds=THRESHOLDS)
    return folder


@pytest.fixture(scope="module")
def files(saved: Path) -> dict[Format, ExportedModel]:
    calibration = [model_input(data, IMAGE) for data in images_of(30)]
    return {
        "onnx": written(saved, "onnx"),
        "litert": written(saved, "litert"),
        "litert-int8": written(saved, "litert-int8", calibration),
    }


# Random weights, scaled until answers differ: 8 bits cost them more than trained ones.
@pytest.mark.parametrize(("kind", "tolerance"), [("onnx", 1e-5), ("litert", 1e-5), ("litert-int8", 0.25)])
def test_a_file_says_what_the_saved_model_says_of_any_number_of_images(
    saved: Path, files: dict[Format, ExportedModel], kind: Format, tolerance: float
) -> None:
    images = images_of(9)

    together, first = asked(files[kind], images), asked(files[kind], images[:1])

    expected = answers(saved, images)
    np.testing.assert_allclose(together, expected, atol=tolerance)
    np.testing.assert_allclose(first, expected[:1], atol=tolerance)


@pytest.mark.parametrize("kind", ["onnx", "litert", "litert-int8"])
def test_a_file_says_all_that_is_needed_to_use_it(files: dict[Format, ExportedModel], kind: Format) -> None:
    expected = Facts(kind, tuple(LABELS), 32, 40, 3, (0.5,), True, tuple(THRESHOLDS))

    assert files[kind].facts == expected


def test_int8_takes_a_quarter_of_the_room(saved: Path, files: dict[Format, ExportedModel]) -> None:
    sizes = {kind: (saved.parent / FILES[kind]).stat().st_size for kind in files}

    assert sizes["litert-int8"] < 0.3 * sizes["litert"]


def test_there_are_no_operations_but_the_runtimes_own(saved: Path, files: dict[Format, ExportedModel]) -> None:
    from ai_edge_litert.interpreter import Interpreter

    nodes = onnx.load(saved.parent / FILES["onnx"]).graph.node
    details = Interpreter(str(saved.parent / FILES["litert"]))._get_ops_details()

    assert {node.domain for node in nodes} == {""}
    # Folded into the convolutions: none is left by itself.
    assert not {node.op_type for node in nodes} & {"BatchNormalization"}
    kinds = {one["op_name"] for one in details}
    assert "CONV_2D" in kinds
    assert not {kind for kind in kinds if kind.startswith("Flex") or "CUSTOM" in kind}


def test_the_same_model_gives_the_same_bytes_in_another_process(
    saved: Path, files: dict[Format, ExportedModel], tmp_path: Path
) -> None:
    again = [tmp_path / "again.onnx", tmp_path / "again.tflite"]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TF_CPP_MIN_LOG_LEVEL": "3"}

    subprocess.run([sys.executable, "-W", "ignore", "-c", AGAIN, saved, *again], check=True, env=environment)

    assert again[0].read_bytes() == (saved.parent / FILES["onnx"]).read_bytes()
    assert again[1].read_bytes() == (saved.parent / FILES["litert"]).read_bytes()


@pytest.mark.parametrize("kind", ["onnx", "litert"])
def test_predict_says_the_same_with_a_file_where_there_is_no_tensorflow(
    saved: Path, files: dict[Format, ExportedModel], tmp_path: Path, kind: Format
) -> None:
    for number, image in enumerate(images_of(4)):
        (tmp_path / f"{number}.png").write_bytes(image)
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff no more")
    arguments = [str(tmp_path), "--json"]

    command = [sys.executable, "-c", WITHOUT, "--model", str(saved.parent / FILES[kind]), *arguments]
    without = subprocess.run(command, capture_output=True, text=True, check=True)
    expected = json.loads(CliRunner().invoke(predict, ["--model", str(saved), *arguments]).stdout)

    assert without.stderr == ""
    found = json.loads(without.stdout)
    assert [row["label"] for row in expected].count(None) == 1
    assert {row["accepted"] for row in expected if row["label"]} == {True, False}
    for one, other in zip(found, expected, strict=True):
        assert {**one, "probabilities": 0, "score": 0} == {**other, "probabilities": 0, "score": 0}
        if one["label"]:
            assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)
            assert one["score"] == pytest.approx(other["score"], abs=1e-5)


def test_the_members_of_an_ensemble_are_one_file(tmp_path: Path) -> None:
    members = []
    for number in range(2):
        keras.utils.set_random_seed(number)
        inputs = keras.Input((IMAGE.height, IMAGE.width, 3))
        maps = keras.layers.Conv2D(4, 5, 4, activation="relu")(keras.layers.Rescaling(1 / 255)(inputs))
        pooled = keras.layers.GlobalAveragePooling2D(name="avg_pool")(maps)
        model = keras.Model(inputs, keras.layers.Dense(len(LABELS), name="predictions")(pooled))
        members.append(tmp_path / str(number))
        export(told_apart(model, IMAGE), str(members[-1]), LABELS, IMAGE, 1.0 + number, {}, flip_average=True)
    whole = tmp_path / "whole"
    combine(members, whole, LABELS)
    (whole / ASSETS).mkdir()
    write_labels(LABELS, whole / ASSETS)
    ENSEMBLE.write({"members": 2, "temperatures": [1.0, 2.0], "flip_average": True}, whole / ASSETS)

    model = written(whole, "onnx")

    assert (model.facts.temperatures, model.facts.mirrored, model.facts.thresholds) == ((1.0, 2.0), True, None)
    np.testing.assert_allclose(asked(model, images_of(9)), answers(whole, images_of(9)), atol=1e-5)


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("kind", "architecture", "channels", "options"),
    [
        ("onnx", "resnet50", 3, {"imagenet_preprocessing": True, "bottleneck_stride": "middle"}),
        ("litert", "resnet18", 1, {"normalize": True, "stem": "tiny", "mean": [0.5], "std": [0.2]}),
    ],
)
def test_other_stems_depths_and_inputs_are_exported_too(
    kind: Format, architecture: str, channels: int, options: dict[str, object], tmp_path: Path
) -> None:
    keras.utils.set_random_seed(0)
    shape = (32, 32, channels)
    model = resnet(architecture, len(LABELS), shape, classifier_activation=None, **options)  # type: ignore[arg-type]
    logits = classifier(model, True)
    module = tf.Module()
    module.kept = [weight.value for weight in model.weights]
    module.serve = tf.function(
        lambda pixels: {"probabilities": tf.nn.softmax(logits(tf.cast(pixels, tf.float32)))},
        input_signature=[tf.TensorSpec([None, *shape], tf.uint8, name="pixels")],
    )
    tf.saved_model.save(module, str(tmp_path), signatures={SERVE_PIXELS: module.serve})
    network = Network(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (3, *shape), np.uint8)
    facts = Facts(kind, tuple(LABELS), shape[0], shape[1], 1 if shape[2] == 1 else 3, (1.0,), True, None)
    file = tmp_path / FILES[kind]
    file.write_bytes(network.to_onnx(facts) if kind == "onnx" else network.to_litert(facts))

    found = open_exported(file).probabilities(pixels)

    np.testing.assert_allclose(found, network.probabilities(pixels), atol=1e-5)


@pytest.mark.parametrize("kind", ["onnx", "litert"])
@pytest.mark.parametrize("damage", ["cut", "empty", "foreign", "flipped"])
def test_a_file_that_is_none_is_refused_in_a_line(
    saved: Path, files: dict[Format, ExportedModel], tmp_path: Path, kind: Format, damage: str
) -> None:
    whole = saved.parent / FILES[kind]
    file = tmp_path / whole.name
    data = whole.read_bytes()
    if damage == "foreign" and kind == "onnx":
        model = onnx.load(whole)
        del model.metadata_props[:]
        data = model.SerializeToString()
    elif damage == "foreign":
        with zipfile.ZipFile(whole) as archive:
            data = data[: archive.infolist()[0].header_offset]
    middle = len(data) // 2
    flipped = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]  # in a weight
    file.write_bytes({"cut": data[:middle], "empty": b"", "foreign": data, "flipped": flipped}[damage])
    (tmp_path / "x.png").write_bytes(images_of(1)[0])

    result = CliRunner().invoke(predict, ["--model", str(file), str(tmp_path / "x.png")])

    assert result.exit_code == 1
    assert result.output.startswith("Error: --model: ")
    assert str(file) in result.output
    assert result.output.count("\n") == 1


def test_a_model_of_an_earlier_version_says_what_to_do(tmp_path: Path) -> None:
    tf.saved_model.save(tf.Module(), str(tmp_path))

    with pytest.raises(ValueError, match=r"no signature serve_pixels: .* Train it again, or set push.formats="):
        Network(tmp_path)
