"""Reading files of PyTorch's: names, layouts and refusals. What the networks compute is in test_torch_networks.py."""

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from drawn_weights import draw_weights
from numpy.typing import NDArray
from safetensors.numpy import save_file

from components.models.blocks import BLOCKS
from components.models.torch_weights import (
    check_file,
    expected_shapes,
    looks_like,
    our_layer,
    read_weights,
    refuse_pickle,
)

DRAWN = draw_weights("resnet18", 5)
Tensors = dict[str, NDArray[Any]]


def save(folder: Path, tensors: Tensors) -> str:
    path = str(folder / "weights.safetensors")
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, path)
    return path


def without(*names: str) -> Tensors:
    return {name: value for name, value in DRAWN.items() if name not in names}


def zeros(architecture: str, channels: int = 3) -> Tensors:
    return {name: np.zeros(shape, np.float16) for name, shape in expected_shapes(architecture, channels).items()}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("conv1", "conv1_conv"),
        ("bn1", "conv1_bn"),
        ("layer1.0.conv1", "conv2_block1_1_conv"),
        ("layer3.22.bn3", "conv4_block23_3_bn"),
        ("layer4.0.downsample.0", "conv5_block1_0_conv"),
        ("layer4.0.downsample.1", "conv5_block1_0_bn"),
    ],
)
def test_modules_of_pytorch_have_a_name_here(theirs: str, ours: str) -> None:
    assert our_layer(theirs) == ours


@pytest.mark.parametrize("architecture", BLOCKS)
def test_an_architecture_is_known_by_its_blocks(architecture: str) -> None:
    assert looks_like(expected_shapes(architecture, 3)) == architecture


def test_kernels_are_turned_and_biases_are_zero(tmp_path: Path) -> None:
    ours = read_weights(save(tmp_path, DRAWN), "resnet18", 3)

    kernel = DRAWN["layer2.0.conv1.weight"]
    assert kernel.shape == (128, 64, 3, 3)
    assert ours["conv3_block1_1_conv/kernel"].shape == (3, 3, 64, 128)
    assert ours["conv3_block1_1_conv/kernel"][2, 0, 5, 7] == kernel[7, 5, 2, 0]
    assert not ours["conv3_block1_1_conv/bias"].any()
    np.testing.assert_array_equal(ours["predictions/kernel"], DRAWN["fc.weight"].T)
    np.testing.assert_array_equal(ours["conv1_bn/moving_variance"], DRAWN["bn1.running_var"])


def test_gamma_makes_up_for_the_larger_epsilon(tmp_path: Path) -> None:
    ours = read_weights(save(tmp_path, DRAWN), "resnet18", 3)

    variance, gamma = (DRAWN[f"bn1.{name}"].astype(float) for name in ("running_var", "weight"))
    found = ours["conv1_bn/gamma"] / np.sqrt(variance + 1.001e-5)
    np.testing.assert_allclose(found, gamma / np.sqrt(variance + 1e-5), rtol=1e-6)
    assert np.abs(gamma / np.sqrt(variance + 1.001e-5) / found - 1.0).max() > 4e-4  # what it would be without


@pytest.mark.parametrize("prefix", ["module.", "model.", "backbone.", "module.encoder_q."])
def test_a_prefix_of_the_whole_network_is_left_out(tmp_path: Path, prefix: str) -> None:
    tensors = {prefix + name: value for name, value in DRAWN.items()}

    ours = read_weights(save(tmp_path, tensors | {"head.weight": np.zeros(3)}), "resnet18", 3)

    np.testing.assert_array_equal(ours["predictions/bias"], DRAWN["fc.bias"])
    assert len(ours) == 122  # 20 convolutions, 20 normalizations, the classifier


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float64])
def test_other_precisions_are_read_as_float32(tmp_path: Path, dtype: Any) -> None:
    tensors = {name: value.astype(dtype) if value.ndim else value for name, value in DRAWN.items()}

    ours = read_weights(save(tmp_path, tensors), "resnet18", 3)

    assert {value.dtype for value in ours.values()} == {np.dtype(np.float32)}
    np.testing.assert_allclose(ours["predictions/kernel"], DRAWN["fc.weight"].T, atol=1e-3)


@pytest.mark.parametrize(("given", "found"), [(DRAWN, 5), (without("fc.weight", "fc.bias"), None)])
def test_the_classes_of_a_file_are_counted(tmp_path: Path, given: Tensors, found: int | None) -> None:
    path = save(tmp_path, given)

    assert check_file(path, "resnet18", 3) == found
    assert ("predictions/kernel" in read_weights(path, "resnet18", 3)) == (found is not None)


def test_weights_of_one_channel_are_for_grey_images(tmp_path: Path) -> None:
    path = save(tmp_path, zeros("resnet18", channels=1))

    assert check_file(path, "resnet18", 1) is None
    with pytest.raises(ValueError, match=r"conv1\.weight is 64×1×7×7 rather than 64×3×7×7\. Set image\.channels=1\."):
        check_file(path, "resnet18", 3)


def quantized() -> Tensors:
    return DRAWN | {"layer1.0.conv1.weight": np.zeros((64, 64, 3, 3), np.int8)}


@pytest.mark.parametrize(
    ("tensors", "architecture", "message"),
    [
        (zeros("resnet34"), "resnet18", r"also has layer1\.2\.\S+ \(64(×\d+)*\).* set model\.architecture=resnet34\."),
        (zeros("resnet18"), "resnet34", r"no layer1\.2\.conv1\.weight \(64×64×3×3\)\. It looks like resnet18: set "),
        (zeros("resnet18"), "resnet50", r"fit resnet50: .* no layer1\.0\.conv3\.weight \(256×64×1×1\)\. It looks like"),
        (without("layer4.1.bn2.running_var"), "resnet18", r"no layer4\.1\.bn2\.running_var \(512\)\. .* not the whole"),
        (
            DRAWN | {"layer1.0.conv1.weight": np.zeros((128, 64, 3, 3), np.float32)},
            "resnet18",
            r"layer1\.0\.conv1\.weight is 128×64×3×3 rather than 64×64×3×3\. Wide ResNets",
        ),
        (
            DRAWN | {"layer1.0.se.fc1.weight": np.zeros((4, 64, 1, 1), np.float32)},
            "resnet18",
            r"also has layer1\.0\.se\.fc1\.weight \(4×64×1×1\).* further layers: take weights of the plain variant",
        ),
        (
            without("conv1.weight") | {"conv1.0.weight": np.zeros((32, 3, 3, 3), np.float32)},
            "resnet18",
            r"three in a row, such as timm's resnet18d: take weights of the plain variant",
        ),
        ({"embedder.weight": np.zeros(1)}, "resnet18", r"names that torchvision and timm give .* embedder\.weight in "),
        ({}, "resnet18", r"Received: no tensors in "),
        (
            {f"{part}.{name}": value for part in ("query", "key") for name, value in DRAWN.items()},
            "resnet18",
            r"several networks: .* Received: key\., query\. in ",
        ),
        (quantized(), "resnet18", r"before they are quantized\. Received: layer1\.0\.conv1\.weight of I8 in "),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(
    tmp_path: Path, tensors: Tensors, architecture: str, message: str
) -> None:
    path = save(tmp_path, tensors)

    with pytest.raises(ValueError, match=message) as error:
        check_file(path, architecture, 3)

    assert path in str(error.value)
    assert "\n" not in str(error.value)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = Path(save(tmp_path, DRAWN))
    path.write_bytes(path.read_bytes()[:100_000])

    with pytest.raises(ValueError, match=r"can't be read as safetensors: .* Received: .*weights\.safetensors$"):
        check_file(str(path), "resnet18", 3)


@pytest.mark.parametrize("name", ["resnet18.pth", "resnet18.pt", "pytorch_model.bin", "last.ckpt"])
def test_a_pickle_is_refused_with_the_way_to_convert_it(name: str) -> None:
    stem = name.partition(".")[0]

    with pytest.raises(ValueError) as error:
        refuse_pickle(f"/models/{name}")

    call = f"safetensors.torch.save_file(torch.load('{name}', weights_only=True), '{stem}.safetensors')"
    assert call in str(error.value)
    assert str(error.value).endswith(f"Received: /models/{name}")
