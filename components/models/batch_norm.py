"""Batch normalization through TensorFlow's fused kernel: `N×H×W×C` in, the same shape and dtype out.

Keras 3 spells batch normalization out as a dozen elementwise operations in float32, which takes a third of a ResNet's
training step. TensorFlow's kernel computes the same in one pass over data of the compute dtype, with the statistics in
float32, and lets the graph optimizer fuse the ReLU behind it.
"""

from typing import Any

import keras
import tensorflow as tf

FUSED_DTYPES = ("float32", "bfloat16", "float16")


@keras.saving.register_keras_serializable(package="components.trainer")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` with the same variables, names and config, and a faster `call`.

    The fused kernel applies to 4-D inputs with the channels last, gamma and beta present, no mask and statistics of
    one device. Anything else is left to Keras' own implementation.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalize `inputs`: by the batch's statistics in training, else by the moving ones."""
        if not self._fused_kernel_applies(inputs, mask):
            return super().call(inputs, training=training, mask=mask)
        update = bool(training) and self.trainable
        none = tf.constant([], tf.float32)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=none if update else tf.convert_to_tensor(self.moving_mean),
            variance=none if update else tf.convert_to_tensor(self.moving_variance),
            epsilon=self.epsilon,
            is_training=update,
        )
        if update:
            # The kernel returns the variance of a sample (divided by n - 1); Keras averages that of the batch (by n).
            n = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), tf.float32)
            variance *= (n - 1.0) / n
            mean, variance = _average_over_devices(mean, variance)
            self.moving_mean.assign(self.moving_mean * self.momentum + mean * (1.0 - self.momentum))
            self.moving_variance.assign(self.moving_variance * self.momentum + variance * (1.0 - self.momentum))
        return outputs

    def _fused_kernel_applies(self, inputs: Any, mask: Any) -> bool:
        return (
            len(inputs.shape) == 4
            and self.axis in (-1, 3)
            and self.scale
            and self.center
            and mask is None
            and not self.synchronized
            and self.compute_dtype in FUSED_DTYPES
            and keras.backend.standardize_dtype(inputs.dtype) in FUSED_DTYPES
            and self.gamma.dtype == "float32"
        )


def _average_over_devices(*values: Any) -> tuple[Any, ...]:
    """Return what all devices agree on: each normalizes its part of a batch, but there is one moving average."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return values
    return tuple(context.all_reduce(tf.distribute.ReduceOp.MEAN, list(values)))
