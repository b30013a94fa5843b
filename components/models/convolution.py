"""A convolution whose filter gradient is a matrix product: `N×H×W×C` in, `N×H'×W'×D` out, as `keras.layers.Conv2D`.

oneDNN takes several times longer for the filter gradient of a 3×3 convolution over a very small map than for the
forward pass, though both are the same number of multiplications. 512 channels over 3×3 pixels, batch 64, bfloat16:
21 ms of processor time against 10; as one matrix product (patches of the inputsᵀ · gradients) 7. `make bench` takes the
steps of a ResNet-18 with and without.
"""

from typing import Any

import keras
import tensorflow as tf

MAX_PIXELS = 3 * 3  # of the output; at 6×6 nothing is gained over oneDNN
SIZE = 3


@keras.saving.register_keras_serializable(package="components.trainer")
class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D` with the same variables, names and config, and a faster gradient on the processor.

    It applies to 3×3 kernels over small maps in bfloat16. Anything else, and any GPU, is left to Keras.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Convolve; the bias is added by the caller."""
        if self._matrix_gradient_applies(inputs):
            return convolve(inputs, kernel, self.strides[0], self.padding)
        return super().convolution_op(inputs, kernel)

    def _matrix_gradient_applies(self, inputs: Any) -> bool:
        height, width = self.compute_output_shape(inputs.shape)[1:3]
        return (
            self.kernel_size == (SIZE, SIZE)
            # Otherwise "same" pads the two sides differently.
            and self.strides in ([(1, 1), (2, 2)] if self.padding == "valid" else [(1, 1)])
            and self.padding in ("same", "valid")
            and self.dilation_rate == (1, 1)
            and self.groups == 1
            and self.data_format == "channels_last"
            and height is not None
            and width is not None
            and height * width <= MAX_PIXELS
            and self.compute_dtype == "bfloat16"
            and not tf.config.list_logical_devices("GPU")
        )


def convolve(inputs: Any, kernel: Any, stride: int, padding: str) -> Any:
    """Convolve with a 3×3 kernel; the gradient of the kernel is `filter_gradient`."""
    options = {"strides": [1, stride, stride, 1], "padding": padding.upper()}

    @tf.custom_gradient
    def convolution(inputs: Any, kernel: Any) -> Any:
        def gradient(upstream: Any) -> tuple[Any, Any]:
            to_inputs = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(inputs), filter=kernel, out_backprop=upstream, **options
            )
            return to_inputs, filter_gradient(inputs, upstream, stride, padding)

        return tf.raw_ops.Conv2D(input=inputs, filter=kernel, **options), gradient

    # Tensors, so that the function inside touches no variable.
    return convolution(tf.convert_to_tensor(inputs), tf.identity(kernel))


def filter_gradient(inputs: Any, upstream: Any, stride: int, padding: str) -> Any:
    """Return the 3×3×C×D gradient of the kernel: each tap's inputs against the gradients of what they went into."""
    if padding == "same":
        inputs = tf.pad(inputs, [[0, 0], [1, 1], [1, 1], [0, 0]])
    channels, (height, width, filters) = inputs.shape[-1], upstream.shape[1:]
    if stride == 1:
        taps = [inputs[:, row : row + height, column : column + width] for row in range(SIZE) for column in range(SIZE)]
        patches = tf.concat(taps, axis=3)
    else:  # slices with a step take several times longer; those without one are faster than this
        patches = tf.image.extract_patches(inputs, [1, SIZE, SIZE, 1], [1, stride, stride, 1], [1, 1, 1, 1], "VALID")
    patches = tf.reshape(patches, (-1, SIZE * SIZE * channels))
    product = tf.matmul(patches, tf.reshape(upstream, (-1, filters)), transpose_a=True)
    return tf.reshape(product, (SIZE, SIZE, channels, filters))
