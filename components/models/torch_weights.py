"""Weights of PyTorch for our ResNets: a .safetensors file in, arrays by the paths of our weights out.

Names are those of torchvision and timm; a prefix that the whole network shares, such as `module.`, is left out.

    conv1.weight 64×3×7×7                      conv1_conv/kernel 7×7×3×64
    bn1.weight, .bias, .running_mean, …_var    conv1_bn/gamma, beta, moving_mean, moving_variance
    layer1.0.conv2.weight                      conv2_block1_2_conv/kernel
    layer1.0.downsample.0.weight               conv2_block1_0_conv/kernel
    fc.weight 8×512                            predictions/kernel 512×8

Convolutions of PyTorch have no bias: ours become zero. Its normalizations add 1e-5 to the variance and ours 1.001e-5:
where the variance is as small as that, as in channels that hardly do anything, the difference is 5e-4, so gamma makes
up for it. No pickle is ever opened: loading one runs what is in it.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401 (with it, numpy knows bfloat16)
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from components.models.blocks import BLOCKS, EPSILON, EXPANSION

SUFFIX = ".safetensors"
PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".tar")
TORCH_EPSILON = 1e-5
_FLOATS = ("F64", "F32", "F16", "BF16")

Shape = tuple[int, ...]

# A normalization's tensors in PyTorch, and here.
_NORMALIZATION = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
_FIRST = "conv1.weight"
_BACKBONE = re.compile(r"(conv1|bn1|layer\d+)\.")
_IN_A_BLOCK = re.compile(r"(^|\.)layer\d+\.")


def refuse_pickle(path: str) -> None:
    """Make sure that a path isn't that of a pickle.

    Raises:
        ValueError: it is.
    """
    if path.endswith(PICKLES):
        raise ValueError(
            "model.weights takes no pickle, since loading one runs what is in it. Convert it where PyTorch is: "
            f"safetensors.torch.save_file(torch.load('{Path(path).name}', weights_only=True), "
            f"'{Path(path).stem}{SUFFIX}'). Received: {path}"
        )


def check_file(path: str, architecture: str, channels: int) -> int | None:
    """Make sure that a file holds an architecture, by its table of contents alone.

    Returns:
        The number of classes of the file's classifier; None if it has none.

    Raises:
        ValueError: it doesn't.
    """
    with _opened(path) as file:
        names = without_prefix(file.keys(), path)
        tensors = {name: file.get_slice(original) for name, original in names.items()}
        found = {name: tuple(tensor.get_shape()) for name, tensor in tensors.items()}
        dtypes = {name: tensor.get_dtype() for name, tensor in tensors.items()}
    _check_shapes(found, architecture, channels, path)
    if quantized := [name for name in expected_shapes(architecture, channels) if dtypes[name] not in _FLOATS]:
        raise ValueError(
            f"model.weights needs floating-point numbers ({', '.join(_FLOATS)}): save the tensors before they are "
            f"quantized. Received: {quantized[0]} of {dtypes[quantized[0]]} in {path}"
        )
    return found["fc.weight"][0] if _has_classifier(found, architecture) else None


def read_weights(path: str, architecture: str, channels: int) -> dict[str, NDArray[Any]]:
    """Read a file.

    Returns:
        float32 arrays by the paths of our weights; those of the classifier only if the file has one.

    Raises:
        ValueError: the file doesn't hold this architecture.
    """
    check_file(path, architecture, channels)
    with _opened(path) as file:
        names = without_prefix(file.keys(), path)
        tensors = {name: file.get_tensor(original) for name, original in names.items()}
    return convert(tensors, architecture, channels)


def convert(tensors: Mapping[str, NDArray[Any]], architecture: str, channels: int) -> dict[str, NDArray[Any]]:
    """Turn PyTorch's tensors, by their names without a prefix, into arrays by the paths of our weights."""
    ours: dict[str, NDArray[Any]] = {}
    for name, shape in expected_shapes(architecture, channels).items():
        module, _, kind = name.rpartition(".")
        value = np.asarray(tensors[name]).astype(np.float32)
        layer = our_layer(module)
        if layer.endswith("_conv"):
            ours[f"{layer}/kernel"] = value.transpose(2, 3, 1, 0)
            ours[f"{layer}/bias"] = np.zeros(shape[0], np.float32)
        else:
            ours[f"{layer}/{_NORMALIZATION[kind]}"] = value
    for path in [path for path in ours if path.endswith("/gamma")]:
        variance = ours[path.replace("gamma", "moving_variance")].astype(np.float64)
        ours[path] = (ours[path] * np.sqrt((variance + EPSILON) / (variance + TORCH_EPSILON))).astype(np.float32)
    if _has_classifier({name: tuple(value.shape) for name, value in tensors.items()}, architecture):
        ours["predictions/kernel"] = np.asarray(tensors["fc.weight"]).astype(np.float32).T
        ours["predictions/bias"] = np.asarray(tensors["fc.bias"]).astype(np.float32)
    return ours


def our_layer(module: str) -> str:
    """Return our name of a module of PyTorch: `layer1.0.bn2` is `conv2_block1_2_bn`."""
    if module in ("conv1", "bn1"):
        return {"conv1": "conv1_conv", "bn1": "conv1_bn"}[module]
    layer, block, rest = module.split(".", 2)
    place = f"conv{int(layer.removeprefix('layer')) + 1}_block{int(block) + 1}"
    if rest.startswith("downsample."):
        return f"{place}_0_{'conv' if rest.endswith('0') else 'bn'}"
    return f"{place}_{rest[-1]}_{rest[:-1]}"


def expected_shapes(architecture: str, channels: int) -> dict[str, Shape]:
    """Return names and shapes of the tensors that PyTorch's backbone has."""
    kind, counts = BLOCKS[architecture]
    shapes: dict[str, Shape] = {}

    def add(conv: str, normalization: str, outputs: int, inputs: int, size: int) -> None:
        shapes[f"{conv}.weight"] = (outputs, inputs, size, size)
        shapes.update({f"{normalization}.{name}": (outputs,) for name in _NORMALIZATION})

    add("conv1", "bn1", 64, channels, 7)
    inputs = 64
    for stage, count in enumerate(counts):
        filters = 64 * 2**stage
        outputs = filters * EXPANSION[kind]
        for number in range(count):
            block = f"layer{stage + 1}.{number}"
            layers = [(inputs, filters, 3), (filters, filters, 3)]
            if kind == "bottleneck":
                layers = [(inputs, filters, 1), (filters, filters, 3), (filters, outputs, 1)]
            for index, (before, after, size) in enumerate(layers, start=1):
                add(f"{block}.conv{index}", f"{block}.bn{index}", after, before, size)
            if number == 0 and (stage > 0 or inputs != outputs):
                add(f"{block}.downsample.0", f"{block}.downsample.1", outputs, inputs, 1)
            inputs = outputs
    return shapes


def without_prefix(names: Iterable[str], path: str) -> dict[str, str]:
    """Return the names in the file by the names without the prefix before `conv1.weight`.

    Raises:
        ValueError: the file holds no ResNet's names, or those of several networks.
    """
    names = sorted(names)
    stems = [n for n in names if (n == _FIRST or n.endswith(f".{_FIRST}")) and not _IN_A_BLOCK.search(n)]
    if not stems:
        if any(re.search(r"(^|\.)conv1\.0\.weight$", name) for name in names):
            raise ValueError(
                "model.weights is of a ResNet whose first convolution is three in a row, such as timm's resnet18d: "
                f"take weights of the plain variant. Received: {path}"
            )
        known = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
        raise ValueError(
            f"model.weights needs the names that torchvision and timm give a ResNet's tensors, such as {_FIRST}. "
            f"Received: {known or 'no tensors'} in {path}"
        )
    prefixes = [stem.removesuffix(_FIRST) for stem in stems]
    if len(prefixes) > 1:
        raise ValueError(
            "model.weights holds several networks: save the tensors of one. "
            f"Received: {', '.join(prefix or 'no prefix' for prefix in prefixes)} in {path}"
        )
    return {name.removeprefix(prefixes[0]): name for name in names if name.startswith(prefixes[0])}


def looks_like(shapes: Mapping[str, Shape]) -> str | None:
    """Return the architecture whose blocks the tensors' names have."""
    blocks = {match[0] for name in shapes if (match := re.match(r"layer(\d+)\.(\d+)\.", name))}
    kind = "bottleneck" if "layer1.0.conv3.weight" in shapes else "basic"
    counts = tuple(sum(block.startswith(f"layer{stage}.") for block in blocks) for stage in range(1, 5))
    return next((name for name, of in BLOCKS.items() if of == (kind, counts)), None)


def _check_shapes(found: Mapping[str, Shape], architecture: str, channels: int, path: str) -> None:
    def refuse(problem: str, remedy: str) -> None:
        raise ValueError(f"The weights don't fit {architecture}: {problem}. {remedy} Received: {path}")

    expected = expected_shapes(architecture, channels)
    other = looks_like(found)
    missing = [name for name in expected if name not in found]
    more = [name for name in found if _BACKBONE.match(name) and name not in expected and not _ignored(name)]
    if other not in (None, architecture) and (missing or more):
        name = [*missing, *more][0]
        has = "has no" if missing else "also has"
        shape = _text(expected[name] if missing else found[name])
        refuse(f"the file {has} {name} ({shape})", f"It looks like {other}: set model.architecture={other}.")
    if missing:
        shape = _text(expected[missing[0]])
        refuse(f"the file has no {missing[0]} ({shape})", "It is of another network, or not the whole of one.")
    for tensor, wanted in expected.items():
        if found[tensor] == wanted:
            continue
        problem = f"{tensor} is {_text(found[tensor])} rather than {_text(wanted)}"
        if tensor == _FIRST and found[tensor] in [(64, number, 7, 7) for number in (1, 3)]:
            refuse(problem, f"Set image.channels={found[tensor][1]}.")
        refuse(problem, "Wide ResNets and ResNeXts have other shapes: take weights of the plain variant.")
    if more:
        refuse(
            f"the file also has {more[0]} ({_text(found[more[0]])})",
            "It is of a ResNet with further layers: take weights of the plain variant.",
        )


def _ignored(name: str) -> bool:
    return name.endswith(".num_batches_tracked")


def _has_classifier(shapes: Mapping[str, Shape], architecture: str) -> bool:
    kind, counts = BLOCKS[architecture]
    features = 64 * 2 ** (len(counts) - 1) * EXPANSION[kind]
    classes, *inputs = shapes.get("fc.weight", ())[:2] or (0,)
    return inputs == [features] and shapes.get("fc.bias") == (classes,)


def _text(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "a number"


def _opened(path: str) -> Any:
    if not Path(path).is_file():
        raise FileNotFoundError(f"There are no weights at model.weights. Received: {path}")
    try:
        return safe_open(path, framework="np")
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"model.weights can't be read as safetensors: the file is damaged or another format ({error}). "
            f"Received: {path}"
        ) from error
