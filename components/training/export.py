"""Export a trained model: a SavedModel that takes encoded images and returns label, score and probabilities.

    serving_default(image_bytes: string [N]) -> probabilities [N, C], label [N] (string), score [N], accepted [N] (bool)
    serve_examples(examples: string [N], serialized tf.Example) -> the same
    serve_pixels(pixels: uint8 [N, H, W, C], decoded and of the model's size) -> probabilities
    embed(image_bytes) -> features [N, F]: what the classifier sees of an image
    explain(image_bytes) -> maps [N, V, h, w, C], rows [N, h], columns [N, V, w]: what in it speaks for each class

A row whose bytes can't be decoded gets an empty label, NaN for score, probabilities, features and maps, and False for
accepted; the others don't notice. Of these `accepted` says whether the score is enough to answer
(`components.training.answers`). The mean of an image's maps over V views, h and w is, by the softmax, its answer;
`rows` and `columns` say where each cell looks: 0 is the image's upper or left edge, 1 the lower or right one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from components.formats.documents import TRAINING
from components.formats.examples import ENCODED, write_labels
from components.formats.saved_model import ASSETS, SERVE_PIXELS
from components.images.options import ImageOptions
from components.models.pretrained import conventions_of_model, saved_conventions
from components.training.activation_maps import activation_maps
from components.training.decoding import decode_image
from components.training.flips import classifier
from components.training.input import FEATURES

# Every machine has it, whatever it was exported on. Left alone, TensorFlow puts what it can of the decoding on a GPU,
# such as the scattering of the pixels, which is made of additions there.
HOST = "/device:CPU:0"
SIGNATURES = ("serving_default", "serve_examples", SERVE_PIXELS, "embed", "explain")
PARALLEL_DECODING = 16  # calls; tf.data runs them on as many threads as the serving machine has


class ServingModule(tf.Module):
    """What is exported. Another training can start from `weights_by_path`, if it prepares its input likewise."""

    def __init__(
        self,
        model: keras.Model,
        labels: Sequence[str],
        image: ImageOptions,
        temperature: float,
        flip_average: bool,
        thresholds: Sequence[float | None] | None,
    ) -> None:
        super().__init__(name="serving")
        self.weights_by_path = {weight.path: weight.value for weight in model.weights}
        for name, variable in saved_conventions(conventions_of_model(model)).items():
            setattr(self, name, variable)
        self.temperature = tf.Variable(temperature, trainable=False, dtype=tf.float32)
        self._labels = tf.constant(list(labels))
        least = [0.0] * len(labels) if thresholds is None else [np.inf if one is None else one for one in thresholds]
        self._thresholds = tf.constant(least, tf.float32)
        self._image = image
        # A closure, since tracking a Keras model would export its own functions as well.
        self._logits = classifier(model, flip_average)
        maps = activation_maps(model, flip_average)
        self._embed, self._explain = maps.embed, maps.explain
        self._rows, self._columns = (tf.constant(places, tf.float32) for places in (maps.rows, maps.columns))
        pixels = tf.TensorSpec([None, image.height, image.width, image.channels], tf.uint8, name="pixels")
        self.serve_pixels = tf.function(self._serve_pixels, input_signature=[pixels])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
    def serving_default(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Classify encoded images."""
        return self._classify(image_bytes)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Classify the images of serialized tf.Examples."""
        with tf.device(HOST):
            features = tf.io.parse_example(examples, {ENCODED: FEATURES[ENCODED]})
        return self._classify(features[ENCODED])

    def _serve_pixels(self, pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        """Classify decoded images: nothing but the network, for programs that decode and for other formats."""
        return {"probabilities": tf.nn.softmax(self._logits(tf.cast(pixels, tf.float32)) / self.temperature)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
    def embed(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return what the classifier sees of encoded images."""
        with tf.device(HOST):
            images, usable = decode_batch(image_bytes, self._image)
        return {"features": _where(usable, self._embed(tf.cast(images, tf.float32)))}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
    def explain(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return what in encoded images speaks for each class."""
        with tf.device(HOST):
            images, usable = decode_batch(image_bytes, self._image)
        maps = self._explain(tf.cast(images, tf.float32)) / self.temperature
        # An image's own, as a server that puts requests together into batches takes apart all outputs.
        places = {
            name: tf.repeat(values[tf.newaxis], tf.size(image_bytes), axis=0)
            for name, values in (("rows", self._rows), ("columns", self._columns))
        }
        return {"maps": _where(usable, maps), **places}

    def _classify(self, encoded: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.device(HOST):
            images, usable = decode_batch(encoded, self._image)
        logits = self._logits(tf.cast(images, tf.float32))[: tf.shape(encoded)[0]]
        probabilities = tf.nn.softmax(logits / self.temperature)
        with tf.device(HOST):  # a few numbers, which are asked for there
            best = tf.argmax(probabilities, axis=1)
            score = tf.reduce_max(probabilities, axis=1)
            nan = tf.constant(float("nan"))
            return {
                "probabilities": tf.where(usable[:, tf.newaxis], probabilities, nan),
                "label": tf.where(usable, tf.gather(self._labels, best), ""),
                "score": tf.where(usable, score, nan),
                "accepted": tf.logical_and(usable, score >= tf.gather(self._thresholds, best)),
            }


def _where(usable: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Return the values of N images, NaN where one couldn't be decoded; no image has a row of the network's own."""
    values = values[: tf.size(usable)]
    return tf.where(tf.reshape(usable, [-1] + [1] * (len(values.shape) - 1)), values, float("nan"))


def decode_batch(encoded: tf.Tensor, image: ImageOptions) -> tuple[tf.Tensor, tf.Tensor]:
    """Decode N strings into N×H×W×C uint8 and N booleans; what can't be decoded is black and False.

    No string gives one black image beside no booleans: a convolution of nothing is an error.
    """
    count = tf.size(encoded, tf.int64)
    rows = tf.data.Dataset.from_tensor_slices(encoded).enumerate()
    rows = rows.map(lambda index, data: (index, decode_image(data, image)), num_parallel_calls=PARALLEL_DECODING)
    rows = rows.ignore_errors()
    # A last row of our own, so that there is something to batch even if nothing could be decoded.
    black = tf.zeros((1, image.height, image.width, image.channels), tf.uint8)
    rows = rows.concatenate(tf.data.Dataset.from_tensor_slices((count[tf.newaxis], black)))
    options = tf.data.Options()
    options.autotune.enabled = False  # its thread would hold up the end of every call
    found, pixels = rows.batch(count + 1).with_options(options).get_single_element()
    shape = tf.concat([[count + 1], tf.shape(black, tf.int64)[1:]], axis=0)
    images = tf.scatter_nd(found[:, tf.newaxis], pixels, shape)[: tf.maximum(count, 1)]
    usable = tf.scatter_nd(found[:, tf.newaxis], tf.ones_like(found, tf.int32), [count + 1])[:-1] > 0
    return tf.ensure_shape(images, (None, image.height, image.width, image.channels)), usable


def export(
    model: keras.Model,
    folder: str,
    labels: Sequence[str],
    image: ImageOptions,
    temperature: float,
    training: Mapping[str, Any],
    *,
    flip_average: bool = False,
    thresholds: Sequence[float | None] | None = None,
) -> None:
    """Write the SavedModel with its label map and the figures of its training in `assets.extra`.

    Args:
        model: of `components.models.resnets` with average pooling, float32, returning logits.
        folder: of the SavedModel.
        labels: names in id order.
        image: size and channels of the model's input.
        temperature: divides the logits.
        training: content of `training.json`.
        flip_average: average the logits of each image and its mirror image.
        thresholds: the least score of each class that is answered, None for one that never is; None: all are.
    """
    module = ServingModule(model, labels, image, temperature, flip_average, thresholds)
    signatures = {name: getattr(module, name) for name in SIGNATURES}
    tf.saved_model.save(module, folder, signatures=signatures)
    assets = Path(folder) / ASSETS
    assets.mkdir(exist_ok=True)
    write_labels(labels, assets)
    TRAINING.write(training, assets)
