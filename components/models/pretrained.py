"""Weights from elsewhere: ImageNet's by way of `keras.applications`, or a file or SavedModel of this pipeline."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import tensorflow as tf
from numpy.typing import NDArray

CLASSIFIER = "predictions"
IMAGENET = "imagenet"
IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)


@keras.saving.register_keras_serializable(package="components.trainer")
class CaffePreprocessing(keras.layers.Layer):
    """What the ImageNet weights of `keras.applications` expect: RGB in 0–255 in; BGR less the mean colour out."""

    def call(self, inputs: Any) -> Any:
        """Reverse the channels and subtract the mean of ImageNet."""
        return inputs[..., ::-1] - tf.constant(IMAGENET_MEAN_BGR, inputs.dtype)


def preprocesses(model: keras.Model) -> bool:
    """Return whether a model changes its input as the ImageNet weights expect it."""
    return any(isinstance(layer, CaffePreprocessing) for layer in model.layers)


def need_preprocessing(weights: str | None) -> bool:
    """Return whether weights are ImageNet's, or those of a model that began with them; a .weights.h5 file doesn't tell.

    Args:
        weights: as `resnets.resnet` takes them.
    """
    if weights is None or weights == IMAGENET:
        return weights is not None
    if weights.endswith(".keras") and Path(weights).exists():
        with zipfile.ZipFile(weights) as file:
            return CaffePreprocessing.__name__ in file.read("config.json").decode()
    if (Path(weights) / "saved_model.pb").exists():
        reader = tf.train.load_checkpoint(str(Path(weights) / "variables" / "variables"))
        name = "imagenet_preprocessing/.ATTRIBUTES/VARIABLE_VALUE"  # of signatures.ServingModule
        return reader.has_tensor(name) and bool(reader.get_tensor(name))
    return False


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


def load_weights(model: keras.Model, path: str, build: Callable[[int], keras.Model]) -> None:
    """Load the weights at `path`; a classifier of another number of classes keeps its initial weights.

    Args:
        model: the model to fill.
        path: a .weights.h5 or .keras file, or the folder of a SavedModel.
        build: makes a model of the same architecture with that many output units.

    Raises:
        FileNotFoundError: there is nothing at the path.
        ValueError: it is none of .weights.h5, .keras and a SavedModel, or the weights are of another architecture.
    """
    file = Path(path)
    if not file.exists():
        raise FileNotFoundError(f"There are no weights at model.weights. Received: {path}")
    if path.endswith(".weights.h5"):
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
    elif (file / "saved_model.pb").exists():
        weights = getattr(tf.saved_model.load(path), "weights_by_path", None)
        if weights is None:
            raise ValueError(f"The SavedModel was not exported by this pipeline. Received: model.weights={path}")
        values = {name: variable.numpy() for name, variable in weights.items()}
    else:
        raise ValueError(
            "model.weights must be 'imagenet', a .weights.h5 or .keras file, or a SavedModel's folder. "
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
