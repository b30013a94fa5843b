"""Smaller images in the first epochs, which cost as much less as they have fewer pixels; the last ones are whole.

A network learns most of what it will know from small images (Touvron et al., arXiv 1906.06423, and the recipes of
torchvision and FFCV since). What judges it sees images of their size throughout. The batches are as ever: it is the
network's first layer that shrinks them, in training, so that each size is a program of static shapes.
"""

from typing import Any

import keras
import tensorflow as tf

from components.models.resnets import MIN_SIZE
from components.training.options import TrainOptions


def size_in(epoch: int, options: TrainOptions, size: tuple[int, int]) -> tuple[int, int]:
    """Return height and width to train with.

    Args:
        epoch: counted from 0.
        options: with `size_schedule`, whose shares refer to `epochs`.
        size: of the images; a side is never made smaller than 32 pixels.
    """
    scale = next((scale for share, scale in options.size_schedule if epoch < round(share * options.epochs)), 1.0)
    height, width = (max(min(side, MIN_SIZE), round(side * scale)) for side in size)
    return height, width


class Shrink(keras.layers.Layer):
    """Resizes N×H×W×C images in training, antialiased, to `size`; None leaves them as they are."""

    def __init__(self, **options: Any) -> None:
        super().__init__(dtype="float32", **options)
        self.size: tuple[int, int] | None = None

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Resize by two matrix products, since XLA knows nothing of TensorFlow's kernel."""
        if not training or self.size is None:
            return inputs
        rows, columns = (resizing(old, new) for old, new in zip(inputs.shape[1:3], self.size, strict=True))
        return tf.einsum("nhwc,Hh,Ww->nHWc", inputs, rows, columns, optimize="optimal")


def resizing(old: int, new: int) -> tf.Tensor:
    """Return the new×old matrix that resizes a column of pixels as `tf.image.resize` does, antialiased."""
    with tf.init_scope():
        return tf.image.resize(tf.eye(old)[..., tf.newaxis], (new, old), antialias=True)[..., 0]


class SizeSchedule(keras.callbacks.Callback):
    """Tells the layer the size of each epoch, wherever the training begins.

    Args:
        layer: the network's first.
        options: with `size_schedule`.
        size: height and width of the images.
    """

    def __init__(self, layer: Shrink, options: TrainOptions, size: tuple[int, int]) -> None:
        super().__init__()
        self.layer, self.options, self.size = layer, options, size

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Set the size, and have the step traced again where it is another one."""
        wanted = size_in(epoch, self.options, self.size)
        now = None if wanted == self.size else wanted
        if now != self.layer.size:
            self.layer.size = now
            self.model.make_train_function(force=True)
