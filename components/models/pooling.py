"""Maximum pooling whose gradient scatters nothing: `N×H×W×C` in, `N×H'×W'×C` out, as `keras.layers.MaxPooling2D`.

XLA makes the gradient of its own pooling a scatter, which adds up in any order, so TensorFlow refuses to compile it
where deterministic kernels are asked for. The maximum of shifted slices is the same; its gradient are selections and
paddings, which XLA fuses.
"""

from functools import reduce
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="components.trainer")
class MaxPooling2D(keras.layers.MaxPooling2D):
    """`keras.layers.MaxPooling2D` with the same config, which takes the maximum of slices if asked to.

    Attributes:
        by_slices: whether it does; for "valid" padding and channels last. A processor is slower that way.
    """

    by_slices: bool = False

    def call(self, inputs: Any) -> Any:
        """Take the maximum of each window."""
        if self.by_slices and self.padding == "valid" and self.data_format == "channels_last":
            return max_of_slices(inputs, self.pool_size, self.strides)
        return super().call(inputs)


def max_of_slices(inputs: Any, size: tuple[int, int], strides: tuple[int, int]) -> Any:
    """Return the maxima of the windows that lie within the inputs, which are of static height and width."""
    spans = [
        range(0, length - pool + 1, step) for length, pool, step in zip(inputs.shape[1:3], size, strides, strict=True)
    ]
    rows, columns = spans
    slices = [
        inputs[:, row : row + rows[-1] + 1 : strides[0], column : column + columns[-1] + 1 : strides[1]]
        for row in range(size[0])
        for column in range(size[1])
    ]
    return reduce(tf.maximum, slices)
