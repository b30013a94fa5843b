"""The parts of a ResNet: stems and residual blocks of named layers.

Layers are named, padded and parametrized as in `keras.applications` (version 1: biases in the convolutions).
"""

from collections.abc import Callable
from typing import Any

import keras

from components.models.batch_norm import BatchNormalization
from components.models.blocks import EPSILON, EXPANSION
from components.models.convolution import Conv2D
from components.models.pooling import MaxPooling2D
from components.models.pretrained import BottleneckStride, Stem

SMALL = 48  # pixels


class Layers:
    """Makes the convolutions and normalizations of one model, which share their options."""

    def __init__(
        self,
        kernel_initializer: Any,
        kernel_regularizer: Any,
        momentum: float,
        zero_init_residual: bool,
        bottleneck_stride: BottleneckStride,
    ) -> None:
        self.kernel_initializer = kernel_initializer
        self.kernel_regularizer = kernel_regularizer
        self.momentum = momentum
        self.zero_init_residual = zero_init_residual
        self.bottleneck_stride = bottleneck_stride

    def conv(
        self,
        x: Any,
        filters: int,
        size: int,
        *,
        stride: int = 1,
        padding: str = "valid",
        ends_block: bool = False,
        name: str,
    ) -> Any:
        """Convolve and normalize; the layers are `<name>_conv` and `<name>_bn`."""
        x = Conv2D(
            filters,
            size,
            strides=stride,
            padding=padding,
            # One initializer a layer: a shared instance would give every layer the same numbers.
            kernel_initializer=_fresh(self.kernel_initializer),
            kernel_regularizer=self.kernel_regularizer,
            name=f"{name}_conv",
        )(x)
        gamma = "zeros" if ends_block and self.zero_init_residual else "ones"
        return BatchNormalization(epsilon=EPSILON, momentum=self.momentum, gamma_initializer=gamma, name=f"{name}_bn")(
            x
        )


def _fresh(initializer: Any) -> Any:
    if isinstance(initializer, keras.initializers.Initializer):
        return initializer.clone()
    return initializer


def basic_block(layers: Layers, x: Any, filters: int, *, stride: int, project: bool, name: str) -> Any:
    """Add two 3×3 convolutions to the identity, or to its 1×1 projection."""
    shortcut = layers.conv(x, filters, 1, stride=stride, name=f"{name}_0") if project else x
    if stride > 1:  # "same" would pad an even input at one side only
        x = keras.layers.ZeroPadding2D(1, name=f"{name}_1_pad")(x)
    x = layers.conv(x, filters, 3, stride=stride, padding="valid" if stride > 1 else "same", name=f"{name}_1")
    x = keras.layers.Activation("relu", name=f"{name}_1_relu")(x)
    x = layers.conv(x, filters, 3, padding="same", ends_block=True, name=f"{name}_2")
    x = keras.layers.Add(name=f"{name}_add")([shortcut, x])
    return keras.layers.Activation("relu", name=f"{name}_out")(x)


def bottleneck_block(layers: Layers, x: Any, filters: int, *, stride: int, project: bool, name: str) -> Any:
    """Add a 1×1, a 3×3 and a widening 1×1 convolution to the identity, or to its 1×1 projection."""
    shortcut = layers.conv(x, 4 * filters, 1, stride=stride, name=f"{name}_0") if project else x
    first, middle = (1, stride) if layers.bottleneck_stride == "middle" else (stride, 1)
    x = layers.conv(x, filters, 1, stride=first, name=f"{name}_1")
    x = keras.layers.Activation("relu", name=f"{name}_1_relu")(x)
    if middle > 1:  # as in a basic block
        x = keras.layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = layers.conv(x, filters, 3, stride=middle, padding="valid" if middle > 1 else "same", name=f"{name}_2")
    x = keras.layers.Activation("relu", name=f"{name}_2_relu")(x)
    x = layers.conv(x, 4 * filters, 1, ends_block=True, name=f"{name}_3")
    x = keras.layers.Add(name=f"{name}_add")([shortcut, x])
    return keras.layers.Activation("relu", name=f"{name}_out")(x)


def imagenet_stem(layers: Layers, x: Any) -> Any:
    """Convolve 7×7 and pool, each with a stride of 2: made for 224×224."""
    x = keras.layers.ZeroPadding2D(3, name="conv1_pad")(x)
    x = layers.conv(x, 64, 7, stride=2, name="conv1")
    x = keras.layers.Activation("relu", name="conv1_relu")(x)
    x = keras.layers.ZeroPadding2D(1, name="pool1_pad")(x)
    return MaxPooling2D(3, strides=2, name="pool1_pool")(x)


def small_stem(layers: Layers, x: Any, stride: int = 2) -> Any:
    """Convolve 3×3 with a stride of 2 and don't pool: maps twice as large, at two to three times the time."""
    x = keras.layers.ZeroPadding2D(1, name="conv1_pad")(x)
    x = layers.conv(x, 64, 3, stride=stride, name="conv1")
    return keras.layers.Activation("relu", name="conv1_relu")(x)


def tiny_stem(layers: Layers, x: Any) -> Any:
    """Convolve 3×3 without a stride (section 4.2): maps four times as large, at six times the time."""
    return small_stem(layers, x, stride=1)


def stem_for(height: int, width: int) -> Stem:
    """Return the stem that suits images of a size: below 48 pixels, the paper's leaves the last stage a single one."""
    return "small" if min(height, width) < SMALL else "imagenet"


STEMS: dict[str, Callable[[Layers, Any], Any]] = {"imagenet": imagenet_stem, "small": small_stem, "tiny": tiny_stem}
BLOCK_FUNCTIONS: dict[str, Callable[..., Any]] = {"basic": basic_block, "bottleneck": bottleneck_block}


def stack(layers: Layers, x: Any, block: str, filters: int, count: int, *, stride: int, name: str) -> Any:
    """Chain `count` residual blocks, the first of which changes resolution and width."""
    for number in range(1, count + 1):
        first_stride = stride if number == 1 else 1
        project = first_stride > 1 or x.shape[-1] != EXPANSION[block] * filters
        x = BLOCK_FUNCTIONS[block](
            layers, x, filters, stride=first_stride, project=project, name=f"{name}_block{number}"
        )
    return x
