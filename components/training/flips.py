"""A model's answer averaged over an image and its mirror image: N×H×W×C in, N×K logits out."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def classifier(model: Callable[..., Any], flip_average: bool) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return what a model says of images, or of images and their mirror images on average.

    Args:
        model: images to logits, as a Keras model that is called.
        flip_average: average the logits of both; twice the work.
    """

    def logits(images: tf.Tensor) -> tf.Tensor:
        if not flip_average:
            return model(images, training=False)
        both = model(tf.concat([images, images[:, :, ::-1]], axis=0), training=False)
        return tf.reduce_mean(tf.stack(tf.split(both, 2)), axis=0)

    return logits
