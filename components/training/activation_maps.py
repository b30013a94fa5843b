"""What a network with average pooling and one dense layer sees, place by place: N×H×W×C images in.

Such a network's logit is the mean of a map over all places (class activation maps: Zhou et al. 2016, arXiv 1512.04150,
section 2). Nothing is estimated: the map's cells are shares of the logit. Where the answers for an image and its mirror
image are averaged, there are two maps, which look at different places: a stride begins at the image's left side in one
and at its right side in the other.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from components.models.receptive_field import centres


class ActivationMaps(NamedTuple):
    """The parts of a network, V views of an image each.

    Attributes:
        views: N×H×W×C images to N×V×h×w×F features, from left to right in each view. V is 1, or 2 with the mirror
            image's.
        kernel: F×K of the dense layer.
        bias: K of the dense layer.
        rows: [h] centres of what the cells look at: 0 is the image's upper edge, 1 its lower one.
        columns: [V, w] likewise, from the left edge to the right.
    """

    views: Callable[[tf.Tensor], tf.Tensor]
    kernel: Any
    bias: Any
    rows: list[float]
    columns: list[list[float]]

    def embed(self, images: tf.Tensor) -> tf.Tensor:
        """Return N×F pooled features; times `kernel`, plus `bias`, they are the logits."""
        return tf.reduce_mean(self.views(images), axis=(1, 2, 3))

    def explain(self, images: tf.Tensor) -> tf.Tensor:
        """Return N×V×h×w×K maps, whose means over V, h and w are the logits."""
        return tf.einsum("nvhwf,fk->nvhwk", self.views(images), self.kernel) + self.bias


def activation_maps(model: keras.Model, flip_average: bool) -> ActivationMaps:
    """Take a network apart.

    Args:
        model: of `components.models.resnets`, with average pooling, returning logits; of a fixed size.
        flip_average: the answer is the mean of those for an image and its mirror image.
    """
    network = keras.Model(model.inputs, model.get_layer("avg_pool").input)
    head = model.get_layer("predictions")
    # A pixel's middle is half a pixel from its edges.
    sides = zip(centres(network), model.input_shape[1:3], strict=True)
    rows, columns = ([(centre + 0.5) / length for centre in places] for places, length in sides)

    # One function: both signatures call it, and a saved model has the network once for both.
    @tf.function
    def views(images: tf.Tensor) -> tf.Tensor:
        if not flip_average:
            return network(images, training=False)[:, tf.newaxis]
        both = network(tf.concat([images, images[:, :, ::-1]], axis=0), training=False)
        plain, mirrored = tf.split(both, 2)
        return tf.stack([plain, mirrored[:, :, ::-1]], axis=1)

    turned = [1.0 - column for column in reversed(columns)]
    return ActivationMaps(
        views, head.kernel.value, head.bias.value, rows, [columns, turned] if flip_average else [columns]
    )
