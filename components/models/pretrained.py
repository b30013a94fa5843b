"""Weights from elsewhere: ImageNet's of `keras.applications`, a file of PyTorch's, or one or a SavedModel of ours.

Weights are of use only to a network that prepares its input and sets its strides as the one did in which they were
trained. `Conventions` says how; weights bring it along.
"""

import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import h5py
import keras
import tensorflow as tf
from numpy.typing import NDArray

from components.formats.saved_model import GRAPH
from components.models import torch_weights
from components.models.saved_variables import read_variables, reading

BottleneckStride = Literal["first", "middle"]
Stem = Literal["imagenet", "small", "tiny"]

CLASSIFIER = "predictions"
IMAGENET = "imagenet"
IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)
# Of pixels in 0–1, red first, as torchvision and timm standardize with.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@keras.saving.register_keras_serializable(package="components.trainer")
class CaffePreprocessing(keras.layers.Layer):
    """What the ImageNet weights of `keras.applications` expect: RGB in 0–255 in; BGR less the mean colour out."""

    def call(self, inputs: Any) -> Any:
        """Reverse the channels and subtract the mean of ImageNet."""
        return inputs[..., ::-1] - tf.constant(IMAGENET_MEAN_BGR, inputs.dtype)


@keras.saving.register_keras_serializable(package="components.trainer")
class Standardization(keras.layers.Layer):
    """Subtract each channel's mean and divide by its standard deviation."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], **options: Any) -> None:
        super().__init__(**options)
        self.mean, self.std = tuple(mean), tuple(std)

    def call(self, inputs: Any) -> Any:
        """Standardize images with the channels last."""
        return (inputs - tf.constant(self.mean, inputs.dtype)) / tf.constant(self.std, inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "mean": list(self.mean), "std": list(self.std)}


@dataclass(frozen=True)
class Conventions:
    """What a network's weights take for granted, and their shapes don't tell; named as arguments of `resnets.resnet`.

    Attributes:
        imagenet_preprocessing: the input is changed by `CaffePreprocessing`.
        mean: of each channel, subtracted after pixels are rescaled to 0–1.
        std: of each channel, divided by.
        bottleneck_stride: whether a bottleneck's first or middle convolution has the stride; "first" for basic blocks.
        stem: the first layers.
    """

    imagenet_preprocessing: bool = False
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    bottleneck_stride: BottleneckStride = "first"
    stem: Stem = "imagenet"


def conventions_of_model(model: keras.Model) -> Conventions:
    """Return what a model's weights take for granted."""
    return _conventions((type(layer).__name__, layer.get_config()) for layer in model.layers)


def conventions_of_weights(weights: str | None, channels: int = 3) -> Conventions:
    """Return what weights take for granted, as far as can be known: a .weights.h5 file doesn't tell.

    Those of PyTorch: the stride in the middle, and of RGB images ImageNet's mean and standard deviation.

    Args:
        weights: as `resnets.resnet` takes them.
        channels: of the images.
    """
    if weights is None:
        return Conventions()
    if weights == IMAGENET:
        return Conventions(imagenet_preprocessing=True)
    if weights.endswith(torch_weights.SUFFIX):
        mean, std = (IMAGENET_MEAN, IMAGENET_STD) if channels == 3 else (None, None)
        return Conventions(mean=mean, std=std, bottleneck_stride="middle")
    if weights.endswith(".keras") and Path(weights).exists():
        with zipfile.ZipFile(weights) as file:
            layers = json.loads(file.read("config.json"))["config"].get("layers", [])
        return _conventions((layer["class_name"], layer["config"]) for layer in layers)
    if (Path(weights) / GRAPH).exists():
        return _conventions_of_saved_model(Path(weights))
    return Conventions()


def conventions_for(
    weights: str | None,
    channels: int,
    imagenet_preprocessing: bool = False,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    bottleneck_stride: BottleneckStride | None = None,
    stem: Stem | None = None,
) -> Conventions:
    """Return the conventions of a network that begins with weights: what is given here, otherwise what they need."""
    conventions = conventions_of_weights(weights, channels)
    if imagenet_preprocessing:
        conventions = replace(conventions, imagenet_preprocessing=True)
    if mean is not None or std is not None:
        mean, std = (None if values is None else tuple(values) for values in (mean, std))
        conventions = replace(conventions, mean=mean, std=std)
    if bottleneck_stride is not None:
        conventions = replace(conventions, bottleneck_stride=bottleneck_stride)
    if stem is not None:
        conventions = replace(conventions, stem=stem)
    return conventions


def _conventions(layers: Iterable[tuple[str, dict[str, Any]]]) -> Conventions:
    """Read them off the layers' classes and configs."""
    found: dict[str, Any] = {}
    for kind, config in layers:
        if kind == CaffePreprocessing.__name__:
            found["imagenet_preprocessing"] = True
        elif kind == Standardization.__name__:
            found |= {name: tuple(config[name]) for name in ("mean", "std")}
        elif config.get("name") == "conv3_block1_2_conv" and max(config["strides"]) > 1:
            found["bottleneck_stride"] = "middle"
        elif config.get("name") == "conv1_conv" and max(config["kernel_size"]) == 3:
            found["stem"] = "small" if max(config["strides"]) == 2 else "tiny"
    return Conventions(**found)


def saved_conventions(conventions: Conventions) -> dict[str, tf.Variable]:
    """Return variables that `conventions_of_weights` finds again in a SavedModel whose module has them as attributes.

    Their names are a promise: a newer program reads models that an older one pushed.
    """
    return {
        "imagenet_preprocessing": tf.Variable(conventions.imagenet_preprocessing, trainable=False),
        "input_mean": tf.Variable(conventions.mean or (), trainable=False, dtype=tf.float64),
        "input_std": tf.Variable(conventions.std or (), trainable=False, dtype=tf.float64),
        "stride_in_the_middle": tf.Variable(conventions.bottleneck_stride == "middle", trainable=False),
        "stem": tf.Variable(get_args(Stem).index(conventions.stem), trainable=False),
    }


def _conventions_of_saved_model(folder: Path) -> Conventions:
    names = ("input_mean", "input_std", "imagenet_preprocessing", "stride_in_the_middle", "stem")
    with reading(folder) as reader:
        keys = {name: f"{name}/.ATTRIBUTES/VARIABLE_VALUE" for name in names}
        found = {name: reader.get_tensor(key) for name, key in keys.items() if reader.has_tensor(key)}
    mean, std = found.get("input_mean"), found.get("input_std")
    return Conventions(
        imagenet_preprocessing=bool(found.get("imagenet_preprocessing")),
        mean=None if mean is None or not mean.size else tuple(mean.tolist()),
        std=None if std is None or not std.size else tuple(std.tolist()),
        bottleneck_stride="middle" if found.get("stride_in_the_middle") else "first",
        stem=get_args(Stem)[found.get("stem", 0)],
    )


def load_imagenet(model: keras.Model, architecture: str) -> None:
    """Copy the ImageNet weights into all layers but the classifier.

    Raises:
        ConnectionError: they are not in Keras' cache and can't be downloaded.
    """
    application = {"resnet50": "ResNet50", "resnet101": "ResNet101", "resnet152": "ResNet152"}[architecture]
    try:
        source = getattr(keras.applications, application)(include_top=False, weights="imagenet")
    except Exception as error:  # Keras raises a plain Exception when the download fails
        raise ConnectionError(
            f"The ImageNet weights of {architecture} can't be downloaded ({error}). Without network access, set "
            "model.weights to a file, put the weights into Keras' cache (~/.keras/models), or train from scratch "
            "with model.weights=null."
        ) from error
    copy_by_name(model, {w.path: w.numpy() for w in source.weights}, IMAGENET)


def load_weights(model: keras.Model, path: str, architecture: str, build: Callable[[int], keras.Model]) -> None:
    """Load the weights at `path`; a classifier of another number of classes keeps its initial weights.

    Args:
        model: the model to fill.
        path: a .safetensors, .weights.h5 or .keras file, or the folder of a SavedModel.
        architecture: of the model.
        build: makes a model of the same architecture with that many output units.

    Raises:
        FileNotFoundError: there is nothing at the path.
        ValueError: it is none of .safetensors, .weights.h5, .keras and a SavedModel, or the weights are of another
            architecture.
    """
    file = Path(path)
    torch_weights.refuse_pickle(path)
    if not file.exists():
        raise FileNotFoundError(f"There are no weights at model.weights. Received: {path}")
    if path.endswith(torch_weights.SUFFIX):
        values = torch_weights.read_weights(path, architecture, model.input_shape[-1])
    elif path.endswith(".weights.h5"):
        with h5py.File(file) as h5:
            units = h5["layers/dense/vars/1"].shape[0] if "layers/dense/vars/1" in h5 else None
        if units is None:
            raise ValueError(f"The weights don't fit {model.name}: they lack the classifier. Received: {path}")
        source = build(units)
        try:
            source.load_weights(path)
        except ValueError as error:
            raise ValueError(f"The weights don't fit {model.name} ({error}). Received: {path}") from error
        values = {weight.path: weight.numpy() for weight in source.weights}
    elif path.endswith(".keras"):
        source = keras.saving.load_model(path, compile=False)
        values = {weight.path: weight.numpy() for weight in source.weights}
    elif (file / GRAPH).exists():
        found = read_variables(file, "weights_by_path")
        if found is None:
            raise ValueError(
                "The SavedModel was not exported by this pipeline, or is an average of several models (push.ensemble): "
                f"begin with the model of one fold's Trainer. Received: model.weights={path}"
            )
        values = found
    else:
        raise ValueError(
            "model.weights must be 'imagenet', a .safetensors, .weights.h5 or .keras file, or a SavedModel's folder. "
            f"Received: {path}"
        )
    copy_by_name(model, values, path)


def copy_by_name(model: keras.Model, values: dict[str, NDArray[Any]], source: str) -> None:
    """Assign each of the model's weights the value of its path.

    Raises:
        ValueError: a weight of the backbone is missing or has another shape.
    """
    for weight in model.weights:
        layer = weight.path.split("/")[0]
        value = values.get(weight.path)
        if value is not None and tuple(value.shape) == tuple(weight.shape):
            weight.assign(value)
        elif layer != CLASSIFIER:
            found = "nothing" if value is None else f"shape {tuple(value.shape)}"
            raise ValueError(
                f"The weights don't fit {model.name}: {weight.path} has shape {tuple(weight.shape)}. "
                f"Received: {found} in {source}"
            )
