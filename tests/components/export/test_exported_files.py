"""Exported files against the SavedModels that they are made from, each on its own runtime."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from trainer_examples import draw_shapes

from components.export.network import Network
from components.export.runtimes import ExportedModel, image_of, open_exported
from components.export.served_facts import facts_of
from components.formats.exports import FILES, Format
from components.formats.saved_model import ASSETS
from components.images.model_input import model_input
from components.images.options import ImageOptions
from components.training.export import export
from components.training.network import build_model
from components.training.options import ModelOptions

LABELS = ["circle", "square", "cross"]
THRESHOLDS = [0.5, None, 0.25]


def drawn(model: keras.Model) -> keras.Model:
    """Give the network statistics and weights as of a trained one, whose answers differ from image to image."""
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if weight.path.endswith(("moving_variance", "gamma")):
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
        elif weight.path.endswith(("moving_mean", "beta", "bias")):
            weight.assign(rng.normal(0, 0.1, weight.shape))
    return model


def served(folder: Path, image: ImageOptions, options: ModelOptions, *, flip_average: bool = False) -> Path:
    keras.utils.set_random_seed(1)
    model = drawn(build_model(options, len(LABELS), (image.height, image.width, image.channels)))
    pixels = tf.random.stateless_uniform((64, image.height, image.width, image.channels), (0, 1), 0, 256)
    temperature = float(np.std(model(pixels)))  # answers are neither all the same nor all 0 and 1
    training = {"temperature": temperature, "flip_average": flip_average, "answers": {"thresholds": THRESHOLDS}}
    export(model, str(folder), LABELS, image, temperature, training, flip_average=flip_average, thresholds=THRESHOLDS)
    return folder


def written(network: Network, folder: Path, kind: Format, calibration: Any = None) -> tuple[Path, ExportedModel]:
    facts = facts_of(folder / ASSETS, kind, network.shape)
    path = folder.parent / FILES[kind]
    path.write_bytes(network.to_onnx(facts) if kind == "onnx" else network.to_litert(facts, calibration))
    return path, open_exported(path)


def answers(folder: Path, images: list[bytes]) -> Any:
    return tf.saved_model.load(str(folder)).signatures["serving_default"](image_bytes=tf.constant(images))


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    image = ImageOptions(height=32, width=40)
    folder = tmp_path_factory.mktemp("mirrored") / "saved"
    return served(folder, image, ModelOptions(architecture="resnet18", normalize=True), flip_average=True)


@pytest.fixture(scope="module")
def images() -> list[bytes]:
    return draw_shapes(9, size=45)[0]


@pytest.mark.parametrize("kind", ["onnx", "litert"])
def test_a_file_says_what_the_saved_model_says_of_the_same_bytes(
    mirrored: Path, images: list[bytes], kind: Format
) -> None:
    _, model = written(Network(mirrored), mirrored, kind)

    pixels = np.stack([model_input(data, image_of(model.facts)) for data in images])
    found = [model.probabilities(pixels), np.concatenate([model.probabilities(one[np.newaxis]) for one in pixels])]

    expected = answers(mirrored, images)["probabilities"].numpy()
    assert len(set(expected.argmax(axis=1))) > 1  # or anything would be as good
    for one in found:
        np.testing.assert_allclose(one, expected, atol=1e-5)
