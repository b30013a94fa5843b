"""Our networks with PyTorch's weights: what they compute equals torchvision's.

The expected numbers are torchvision's own, written by `tests/benchmarks/torchvision_parity.py --write`.
"""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from drawn_weights import draw_pixels, draw_weights
from safetensors.numpy import save_file

from components.models.pretrained import Conventions, conventions_of_model, conventions_of_weights
from components.models.resnets import ResNet18, ResNet50, resnet

EXPECTED = json.loads((Path(__file__).parents[2] / "data" / "torchvision_outputs.json").read_text("utf-8"))
CLASSES = 8
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A file of drawn weights for the architectures that several tests read."""
    folder = tmp_path_factory.mktemp("torch")
    paths = {}
    for architecture in ("resnet18", "resnet50"):
        paths[architecture] = str(folder / f"{architecture}.safetensors")
        save_file(draw_weights(architecture, CLASSES), paths[architecture])
    return paths


@pytest.mark.parametrize(
    ("architecture", "stride"),
    [
        ("resnet18", "middle"),
        ("resnet34", "middle"),
        ("resnet50", "middle"),
        ("resnet50", "first"),
        ("resnet101", "middle"),
        ("resnet152", "middle"),
    ],
)
def test_features_and_logits_equal_torchvisions(tmp_path: Path, architecture: str, stride: Any) -> None:
    path = str(tmp_path / f"{architecture}.safetensors")
    save_file(draw_weights(architecture, CLASSES), path)
    chosen = None if stride == "middle" else stride  # in the middle by default
    model = resnet(
        architecture,
        CLASSES,
        (None, None, 3),
        normalize=True,
        classifier_activation=None,
        weights=path,
        bottleneck_stride=chosen,
    )
    both = keras.Model(model.input, [model.get_layer("avg_pool").output, model.output])

    for height, width in ((96, 96), (75, 101)):
        features, logits = (np.asarray(values) for values in both(draw_pixels(height, width), training=False))
        expected = EXPECTED[f"{architecture} {stride} {height}×{width}"]
        np.testing.assert_allclose(features[:, :: features.shape[1] // 16], expected["features"], atol=1e-4)
        np.testing.assert_allclose(logits, expected["logits"], atol=1e-4)


def test_a_classifier_of_other_classes_begins_at_random(files: dict[str, str]) -> None:
    model = ResNet18(3, (32, 32, 3), normalize=True, weights=files["resnet18"])

    kernel, bias = model.get_layer("predictions").get_weights()
    assert kernel.shape == (512, 3)
    assert 0.0 < np.abs(kernel).max() < 0.11  # Glorot's limit: √(6 / 515)
    assert not bias.any()
    assert model.get_layer("conv1_bn").get_weights()[2].any()


def test_the_stride_in_the_middle_changes_no_parameter_and_no_name() -> None:
    first, middle = (ResNet50(8, (64, 64, 3), bottleneck_stride=stride) for stride in ("first", "middle"))

    assert [(w.path, w.shape) for w in first.weights] == [(w.path, w.shape) for w in middle.weights]
    strides = [middle.get_layer(f"conv4_block1_{number}_conv").strides for number in (0, 1, 2, 3)]
    assert strides == [(2, 2), (1, 1), (2, 2), (1, 1)]
    assert middle.get_layer("conv2_block1_2_conv").strides == (1, 1)


def test_pixels_are_standardized_after_they_are_rescaled() -> None:
    plain = ResNet18(4, (32, 32, 3))
    model = ResNet18(4, (32, 32, 3), normalize=True, mean=MEAN, std=STD)
    model.set_weights(plain.get_weights())
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")

    np.testing.assert_allclose(model(pixels), plain((pixels / 255.0 - np.array(MEAN)) / np.array(STD)), atol=1e-5)


def test_weights_of_pytorch_bring_conventions_that_options_override(files: dict[str, str]) -> None:
    path = files["resnet50"]

    assert conventions_of_weights(path, 3) == Conventions(mean=MEAN, std=STD, bottleneck_stride="middle")
    assert conventions_of_weights(path, 1) == Conventions(bottleneck_stride="middle")
    half = (0.5, 0.5, 0.5)
    model = ResNet50(3, (32, 32, 3), weights=path, mean=half, std=half, bottleneck_stride="first")
    assert conventions_of_model(model) == Conventions(mean=half, std=half)


def test_a_keras_file_brings_them_along(tmp_path: Path, files: dict[str, str]) -> None:
    path = str(tmp_path / "model.keras")
    model = ResNet50(3, (32, 32, 3), normalize=True, weights=files["resnet50"])
    model.save(path)

    again = ResNet50(3, (32, 32, 3), normalize=True, weights=path)

    assert conventions_of_weights(path) == conventions_of_model(again) == conventions_of_model(model)
    assert conventions_of_model(again).bottleneck_stride == "middle"
    np.testing.assert_array_equal(again(draw_pixels(32, 32)), model(draw_pixels(32, 32)))
    loaded = keras.saving.load_model(path)
    np.testing.assert_array_equal(loaded(draw_pixels(32, 32)), model(draw_pixels(32, 32)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mean": MEAN}, r"given together, .* Received: mean=\(0\.485, 0\.456, 0\.406\), std=None$"),
        ({"mean": (0.5,), "std": (0.5,)}, r"each of 3 channels.* Received: mean=\(0\.5,\)"),
        ({"mean": MEAN, "std": (0.2, 0.0, 0.2)}, r"those of std above 0\."),
        ({"bottleneck_stride": "last"}, r"'first', 'middle' or None\. Received: 'last'$"),
        ({"mean": MEAN, "std": STD, "imagenet_preprocessing": True}, r"bring their own preprocessing"),
    ],
)
def test_impossible_conventions_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ResNet50(4, (32, 32, 3), **options)
