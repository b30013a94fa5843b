from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from components.models import resnets
from components.models.cost import multiplications
from components.models.resnets import ResNet18, ResNet34, ResNet50, ResNet101, ResNet152
from components.training.precision import dtype_policy

MODELS = {18: ResNet18, 34: ResNet34, 50: ResNet50, 101: ResNet101, 152: ResNet152}


def randomize(model: keras.Model, seed: int = 0) -> None:
    """Give every weight a random value that keeps activations finite, moving statistics included."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        kind = weight.path.rsplit("/", 1)[-1]
        if kind == "kernel":
            scale = np.sqrt(2.0 / np.prod(weight.shape[:-1]))
            weight.assign(rng.normal(0.0, scale, weight.shape))
        elif kind in ("gamma", "moving_variance"):
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
        else:
            weight.assign(rng.normal(0.0, 0.1, weight.shape))


@pytest.mark.parametrize(
    ("depth", "total", "trainable"),
    [
        (18, 11_703_912, 11_694_312),
        (34, 21_823_208, 21_806_184),
        (50, 25_636_712, 25_583_592),
        (101, 44_707_176, 44_601_832),
        (152, 60_419_944, 60_268_520),
    ],
)
def test_parameters_equal_the_published_totals(depth: int, total: int, trainable: int) -> None:
    model = MODELS[depth](1000, (224, 224, 3))

    assert model.count_params() == total
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == trainable


@pytest.mark.parametrize("depth", [50, 101, 152])
def test_with_their_weights_outputs_equal_keras_applications(depth: int) -> None:
    ours = MODELS[depth](10, (64, 64, 3))
    theirs = getattr(keras.applications, f"ResNet{depth}")(weights=None, classes=10, input_shape=(64, 64, 3))
    randomize(theirs)
    for layer in theirs.layers:
        ours.get_layer("image" if isinstance(layer, keras.layers.InputLayer) else layer.name).set_weights(
            layer.get_weights()
        )
    images = np.random.default_rng(1).uniform(0.0, 1.0, (4, 64, 64, 3)).astype("float32")

    difference = np.abs(ours(images, training=False) - theirs(images, training=False)).max()

    assert difference <= 1e-5


def test_layers_are_named_as_in_keras_applications() -> None:
    theirs = keras.applications.ResNet50(weights=None, input_shape=(64, 64, 3))

    assert [layer.name for layer in ResNet50(1000, (64, 64, 3)).layers[1:]] == [
        layer.name for layer in theirs.layers[1:]
    ]


@pytest.mark.parametrize(("depth", "blocks"), [(18, (2, 2, 2, 2)), (34, (3, 4, 6, 3))])
def test_basic_stages_have_the_shapes_of_table_1(depth: int, blocks: tuple[int, ...]) -> None:
    model = MODELS[depth](1000, (224, 224, 3))

    assert model.get_layer("conv1_conv").output.shape == (None, 112, 112, 64)
    for stage, (count, size) in enumerate(zip(blocks, (56, 28, 14, 7), strict=True), start=2):
        last = model.get_layer(f"conv{stage}_block{count}_out")
        assert last.output.shape == (None, size, size, 64 * 2 ** (stage - 2))
        assert f"conv{stage}_block{count + 1}_out" not in {layer.name for layer in model.layers}
        assert model.get_layer(f"conv{stage}_block1_1_conv").strides == ((1, 1) if stage == 2 else (2, 2))


@pytest.mark.parametrize(("depth", "last"), [(18, "_2_bn"), (50, "_3_bn")])
def test_blocks_pass_their_input_on_at_first_if_wanted(depth: int, last: str) -> None:
    plain, zero = (MODELS[depth](8, (32, 32, 3), zero_init_residual=wanted) for wanted in (False, True))

    def zeros(model: keras.Model) -> set[str]:
        return {layer.name for layer in model.layers if layer.name.endswith("_bn") and not layer.gamma.numpy().any()}

    assert zeros(plain) == set()
    assert zeros(zero) == {layer.name for layer in zero.layers if layer.name.endswith(last) and "_block" in layer.name}
    ends = [zero.get_layer(f"conv2_block{number}_out").output for number in (1, 2)]
    first, second = keras.Model(zero.input, ends)(np.random.default_rng(0).uniform(0, 1, (2, 32, 32, 3)))
    np.testing.assert_array_equal(first, second)


def convolve(x: NDArray[Any], kernel: NDArray[Any], bias: NDArray[Any], stride: int) -> NDArray[Any]:
    """Convolve H×W×C by k×k×C×D with a symmetric padding of k // 2, from the definition."""
    size = kernel.shape[0]
    padded = np.pad(x, ((size // 2, size // 2), (size // 2, size // 2), (0, 0)))
    rows, columns = ((side - 1) // stride + 1 for side in x.shape[:2])
    out = np.empty((rows, columns, kernel.shape[3]))
    for i in range(rows):
        for j in range(columns):
            window = padded[i * stride : i * stride + size, j * stride : j * stride + size]
            out[i, j] = np.tensordot(window, kernel, 3) + bias
    return out


@pytest.mark.parametrize(
    ("block", "source", "stride"),
    [
        ("conv2_block1", "pool1_pool", 1),
        ("conv3_block1", "conv2_block2_out", 2),
        ("conv3_block2", "conv3_block1_out", 1),
    ],
)
def test_a_basic_block_equals_the_definition_in_numpy(block: str, source: str, stride: int) -> None:
    model = ResNet18(8, (32, 32, 3))
    randomize(model)
    part = keras.Model(model.input, [model.get_layer(source).output, model.get_layer(f"{block}_out").output])
    x, expected = (np.asarray(y)[0] for y in part(np.random.default_rng(2).uniform(0, 1, (1, 32, 32, 3))))

    def layer(x: NDArray[Any], number: int, stride: int) -> NDArray[Any]:
        kernel, bias = model.get_layer(f"{block}_{number}_conv").get_weights()
        gamma, beta, mean, variance = model.get_layer(f"{block}_{number}_bn").get_weights()
        return (convolve(x, kernel, bias, stride) - mean) / np.sqrt(variance + 1.001e-5) * gamma + beta

    shortcut = layer(x, 0, stride) if stride == 2 else x
    actual = np.maximum(layer(np.maximum(layer(x, 1, stride), 0.0), 2, 1) + shortcut, 0.0)

    np.testing.assert_allclose(actual, expected, atol=1e-4)


def test_normalize_rescales_pixels_inside_the_model() -> None:
    plain, normalizing = ResNet18(4, (32, 32, 3)), ResNet18(4, (32, 32, 3), normalize=True)
    normalizing.set_weights(plain.get_weights())
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")

    np.testing.assert_allclose(normalizing(pixels), plain(pixels / 255.0), atol=1e-5)


def test_after_input_sees_the_raw_input() -> None:
    black = keras.Sequential([keras.layers.Rescaling(0.0)])
    model = ResNet18(4, (32, 32, 1), after_input=black)
    noise = np.random.default_rng(0).normal(size=(2, 32, 32, 1))

    np.testing.assert_allclose(model(noise), model(np.zeros_like(noise)))


def test_the_classifier_computes_in_float32_under_mixed_precision() -> None:
    with dtype_policy("bfloat16"):
        model = ResNet18(4, (32, 32, 3), dropout_rate=0.5)

    assert model.get_layer("conv1_conv").compute_dtype == "bfloat16"
    assert model.output.dtype == "float32"
    np.testing.assert_allclose(np.sum(model(np.ones((2, 32, 32, 3))), axis=1), 1.0, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"pooling": "max"}, (None, 4)),
        ({"pooling": "flatten"}, (None, 4)),
        ({"include_top": False}, (None, 512)),
        ({"include_top": False, "pooling": "flatten"}, (None, 2048)),
        ({"include_top": False, "pooling": None}, (None, 2, 2, 512)),
    ],
)
def test_the_top_can_be_chosen(options: dict[str, Any], shape: tuple[int | None, ...]) -> None:
    assert ResNet18(4, (64, 64, 3), **options).output.shape == shape


def test_the_regularizer_reaches_every_kernel_and_nothing_else() -> None:
    model = ResNet18(4, (32, 32, 3), kernel_regularizer=keras.regularizers.L2(1e-4))

    kernels = [weight for weight in model.weights if weight.path.endswith("kernel")]
    assert len(model.losses) == len(kernels) == 21


def test_layers_of_equal_shape_start_from_different_numbers() -> None:
    model = ResNet18(4, (32, 32, 3), kernel_initializer=keras.initializers.HeUniform(seed=None))

    first, second = (model.get_layer(f"conv2_block1_{n}_conv").get_weights()[0] for n in (1, 2))
    assert not np.array_equal(first, second)


def test_freeze_leaves_the_classifier_alone_to_train() -> None:
    model = ResNet50(4, (32, 32, 3), freeze=True)

    assert [weight.path for weight in model.trainable_weights] == ["predictions/kernel", "predictions/bias"]


@pytest.mark.parametrize("extension", [".weights.h5", ".keras"])
def test_weights_of_a_file_are_loaded_beside_another_number_of_classes(tmp_path: Path, extension: str) -> None:
    source = ResNet18(5, (32, 32, 3), normalize=True)
    randomize(source)
    path = str(tmp_path / f"model{extension}")
    source.save_weights(path) if extension == ".weights.h5" else source.save(path)

    model = ResNet18(3, (64, 64, 3), weights=path)

    for weight, value in zip(model.weights[:-2], source.weights[:-2], strict=True):
        np.testing.assert_array_equal(weight.numpy(), value.numpy(), err_msg=weight.path)


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "model.keras")
    ResNet34(3, (32, 32, 3)).save(path)

    with pytest.raises(ValueError, match=r"don't fit resnet50.*Received: "):
        ResNet50(3, (32, 32, 3), weights=path)


def test_imagenet_weights_come_with_their_preprocessing(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = keras.applications.ResNet50(weights=None, include_top=False, input_shape=(32, 32, 3))
    randomize(theirs)
    monkeypatch.setattr(keras.applications, "ResNet50", lambda **_: theirs)
    model = ResNet50(4, (32, 32, 3), weights="imagenet", include_top=False, pooling=None)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")

    expected = np.asarray(theirs(keras.applications.resnet.preprocess_input(pixels.copy()), training=False))

    np.testing.assert_allclose(model(pixels, training=False) / expected.max(), expected / expected.max(), atol=1e-5)


def test_imagenet_weights_without_network_are_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(**_: Any) -> None:
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "ResNet50", no_network)
    with pytest.raises(ConnectionError, match=r"can't be downloaded \(URL fetch failure\).*model.weights"):
        ResNet50(4, (32, 32, 3), weights="imagenet")


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((1, (96, 96, 3)), {}, "Received: 1$"),
        ((8, (96, 96)), {}, r"Received: \(96, 96\)$"),
        ((8, (31, 96, 3)), {}, r"at least 32. Received: \(31, 96, 3\)$"),
        ((8, (96, 96, 2)), {}, r"1 or 3. Received: \(96, 96, 2\)$"),
        ((8, (96, 96, 3)), {"dropout_rate": 1.0}, "Received: 1.0$"),
        ((8, (96, 96, 3)), {"pooling": "sum"}, "Received: 'sum'$"),
        ((8, (96, 96, 3)), {"pooling": None}, "Received: None$"),
        ((8, (96, 96, 3)), {"weights": "imagenet"}, "resnet152 only. Received: 'resnet18'$"),
        ((8, (96, 96, 3)), {"weights": "weights.txt"}, "Received: .*weights.txt$"),
    ],
)
def test_impossible_arguments_are_refused_with_what_was_received(
    arguments: tuple[Any, ...], options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    if options.get("weights") == "weights.txt":
        (tmp_path / "weights.txt").touch()
        options = {"weights": str(tmp_path / "weights.txt")}
    with pytest.raises(ValueError, match=message):
        ResNet18(*arguments, **options)


def test_imagenet_weights_refuse_another_normalization_and_grey_images() -> None:
    with pytest.raises(ValueError, match="Received: normalize=True"):
        ResNet50(8, (96, 96, 3), normalize=True, weights="imagenet")
    with pytest.raises(ValueError, match="3 channels"):
        ResNet50(8, (96, 96, 1), weights="imagenet")


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(ValueError, match=r"resnet18, resnet34.* Received: 'vgg16'"):
        resnets.resnet("vgg16", 8, (96, 96, 3))


def test_missing_weights_are_refused() -> None:
    with pytest.raises(FileNotFoundError, match=r"Received: nowhere\.keras"):
        ResNet18(8, (96, 96, 3), weights="nowhere.keras")


@pytest.mark.parametrize(("depth", "billions"), [(18, 1.8), (34, 3.6), (50, 3.8), (101, 7.6), (152, 11.3)])
def test_multiplications_equal_those_of_the_paper(depth: int, billions: float) -> None:
    """Table 1, last line, as it is rounded there."""
    model = MODELS[depth](1000, (224, 224, 3))

    assert multiplications(model) / 1e9 == pytest.approx(billions, abs=0.07)


@pytest.mark.parametrize(
    ("stem", "size", "maps"),
    [("tiny", 32, (32, 16, 8, 4)), ("small", 32, (16, 8, 4, 2)), ("small", 48, (24, 12, 6, 3))],
)
def test_other_stems_keep_the_maps_of_small_images_large(stem: Any, size: int, maps: tuple[int, ...]) -> None:
    model = ResNet18(3, (size, size, 3), stem=stem)

    assert tuple(model.get_layer(f"conv{stage}_block2_out").output.shape[1] for stage in range(2, 6)) == maps
    assert model.get_layer("conv1_conv").kernel.shape == (3, 3, 3, 64)
