"""The five ResNets of He et al., "Deep Residual Learning for Image Recognition" (arXiv 1512.03385, table 1).

    model = ResNet50(8, (96, 96, 3), normalize=True)  # N×96×96×3 in 0–255 in, N×8 probabilities out

Layers are named, padded and parametrized as in `keras.applications` (version 1: biases in the convolutions, the stride
on a bottleneck's first 1×1 convolution), so its weights fit. ResNet-18 and -34, which it lacks, follow the same names.
"""

from collections.abc import Callable
from typing import Any, Literal

import keras

from components.models.batch_norm import BatchNormalization
from components.models.convolution import Conv2D
from components.models.pooling import MaxPooling2D
from components.models.pretrained import (
    IMAGENET,
    CaffePreprocessing,
    load_imagenet,
    load_weights,
    need_preprocessing,
)

Pooling = Literal["avg", "max", "flatten"]

EPSILON = 1.001e-5  # of keras.applications
MIN_SIZE = 32  # the last stage has a stride of 32

# Residual blocks in each of the four stages.
BLOCKS = {
    "resnet18": ("basic", (2, 2, 2, 2)),
    "resnet34": ("basic", (3, 4, 6, 3)),
    "resnet50": ("bottleneck", (3, 4, 6, 3)),
    "resnet101": ("bottleneck", (3, 4, 23, 3)),
    "resnet152": ("bottleneck", (3, 8, 36, 3)),
}


class _Layers:
    """Makes the convolutions and normalizations of one model, which share their options."""

    def __init__(
        self, kernel_initializer: Any, kernel_regularizer: Any, momentum: float, zero_init_residual: bool
    ) -> None:
        self.kernel_initializer = kernel_initializer
        self.kernel_regularizer = kernel_regularizer
        self.momentum = momentum
        self.zero_init_residual = zero_init_residual

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


def basic_block(layers: _Layers, x: Any, filters: int, *, stride: int, project: bool, name: str) -> Any:
    """Add two 3×3 convolutions to the identity, or to its 1×1 projection."""
    shortcut = layers.conv(x, filters, 1, stride=stride, name=f"{name}_0") if project else x
    if stride > 1:  # "same" would pad an even input at one side only
        x = keras.layers.ZeroPadding2D(1, name=f"{name}_1_pad")(x)
    x = layers.conv(x, filters, 3, stride=stride, padding="valid" if stride > 1 else "same", name=f"{name}_1")
    x = keras.layers.Activation("relu", name=f"{name}_1_relu")(x)
    x = layers.conv(x, filters, 3, padding="same", ends_block=True, name=f"{name}_2")
    x = keras.layers.Add(name=f"{name}_add")([shortcut, x])
    return keras.layers.Activation("relu", name=f"{name}_out")(x)


def bottleneck_block(layers: _Layers, x: Any, filters: int, *, stride: int, project: bool, name: str) -> Any:
    """Add a 1×1, a 3×3 and a widening 1×1 convolution to the identity, or to its 1×1 projection."""
    shortcut = layers.conv(x, 4 * filters, 1, stride=stride, name=f"{name}_0") if project else x
    x = layers.conv(x, filters, 1, stride=stride, name=f"{name}_1")
    x = keras.layers.Activation("relu", name=f"{name}_1_relu")(x)
    x = layers.conv(x, filters, 3, padding="same", name=f"{name}_2")
    x = keras.layers.Activation("relu", name=f"{name}_2_relu")(x)
    x = layers.conv(x, 4 * filters, 1, ends_block=True, name=f"{name}_3")
    x = keras.layers.Add(name=f"{name}_add")([shortcut, x])
    return keras.layers.Activation("relu", name=f"{name}_out")(x)


BLOCK_FUNCTIONS: dict[str, Callable[..., Any]] = {"basic": basic_block, "bottleneck": bottleneck_block}
EXPANSION = {"basic": 1, "bottleneck": 4}  # output channels of a block relative to its inner ones


def stack(layers: _Layers, x: Any, block: str, filters: int, count: int, *, stride: int, name: str) -> Any:
    """Chain `count` residual blocks, the first of which changes resolution and width."""
    for number in range(1, count + 1):
        first_stride = stride if number == 1 else 1
        project = first_stride > 1 or x.shape[-1] != EXPANSION[block] * filters
        x = BLOCK_FUNCTIONS[block](
            layers, x, filters, stride=first_stride, project=project, name=f"{name}_block{number}"
        )
    return x


def resnet(
    architecture: str,
    output_units: int,
    input_shape: tuple[int | None, int | None, int],
    normalize: bool = False,
    kernel_regularizer: Any = None,
    dropout_rate: float = 0.0,
    *,
    include_top: bool = True,
    pooling: Pooling | None = "avg",
    classifier_activation: str | None = "softmax",
    after_input: keras.Layer | None = None,
    kernel_initializer: Any = "he_uniform",
    batch_norm_momentum: float = 0.9,
    zero_init_residual: bool = False,
    weights: str | None = None,
    freeze: bool = False,
    imagenet_preprocessing: bool = False,
    name: str | None = None,
) -> keras.Model:
    """Build a ResNet with Keras' functional API.

    Args:
        architecture: a key of `BLOCKS`.
        output_units: number of classes; at least 2.
        input_shape: height, width and channels of the images (channels 1 or 3, sides at least 32, or None for any).
        normalize: rescale pixels from 0–255 to 0–1 inside the model.
        kernel_regularizer: of the convolutions and the classifier.
        dropout_rate: of the dropout between pooling and classifier.
        include_top: end in the classifier; else in the pooled features, or in the feature map if `pooling` is None.
        pooling: "avg", "max" or "flatten"; None only without the classifier.
        classifier_activation: "softmax", or None for logits; the classifier computes in float32 in any case.
        after_input: a layer applied right after the input, such as augmentation.
        kernel_initializer: of the convolutions; the classifier's is Glorot's.
        batch_norm_momentum: of the moving statistics. 0.9 suits runs of a few thousand steps; Keras' 0.99 does not.
        zero_init_residual: begin with blocks that pass their input on, the last scale of each being 0, so that a deep
            network learns like a shallow one at first (Goyal et al., arXiv 1706.02677, section 5.1).
        weights: "imagenet" (50, 101, 152), or a path to .weights.h5, .keras or a SavedModel of this pipeline; a
            classifier of another number of classes is left out.
        freeze: train the classifier alone.
        imagenet_preprocessing: change the input as ImageNet's weights expect it; weights that need it bring it along.
        name: of the model; the architecture by default.

    Returns:
        A `keras.Model`, not compiled.

    Raises:
        ValueError: an argument is out of its range, or the weights don't fit.
        FileNotFoundError: there are no weights at the path.
        ConnectionError: the ImageNet weights can't be downloaded.
    """
    imagenet_preprocessing = imagenet_preprocessing or need_preprocessing(weights)
    _check_arguments(architecture, output_units, input_shape, dropout_rate, include_top, pooling, weights)
    if imagenet_preprocessing and (normalize or input_shape[2] != 3):
        raise ValueError(
            "ImageNet's weights take 3 channels and bring their own preprocessing, so normalize must be False. "
            f"Received: normalize={normalize}, input_shape={input_shape}"
        )
    block, counts = BLOCKS[architecture]
    layers = _Layers(kernel_initializer, kernel_regularizer, batch_norm_momentum, zero_init_residual)

    inputs = x = keras.Input(input_shape, name="image")
    if after_input is not None:
        x = after_input(x)
    if normalize:
        x = keras.layers.Rescaling(1.0 / 255.0, name="rescale")(x)
    if imagenet_preprocessing:
        x = CaffePreprocessing(name="preprocess")(x)
    x = keras.layers.ZeroPadding2D(3, name="conv1_pad")(x)
    x = layers.conv(x, 64, 7, stride=2, name="conv1")
    x = keras.layers.Activation("relu", name="conv1_relu")(x)
    x = keras.layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for stage, count in enumerate(counts):
        x = stack(layers, x, block, 64 * 2**stage, count, stride=1 if stage == 0 else 2, name=f"conv{stage + 2}")

    if pooling == "avg":
        x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
    elif pooling == "max":
        x = keras.layers.GlobalMaxPooling2D(name="max_pool")(x)
    elif pooling == "flatten":
        x = keras.layers.Flatten(name="flatten")(x)
    backbone = keras.Model(inputs, x, name=name or architecture)
    if include_top:
        if dropout_rate:
            x = keras.layers.Dropout(dropout_rate, name="dropout")(x)
        x = keras.layers.Dense(
            output_units,
            activation=classifier_activation,
            kernel_initializer="glorot_uniform",
            kernel_regularizer=kernel_regularizer,
            dtype="float32",
            name="predictions",
        )(x)
    model = keras.Model(inputs, x, name=name or architecture)

    if weights == IMAGENET:
        load_imagenet(model, architecture)
    elif weights is not None:
        # Weight files follow the model's structure: they are read into a model with as many units as they have.
        load_weights(model, weights, lambda units: resnet(architecture, units, input_shape, pooling=pooling or "avg"))
    if freeze:
        backbone.trainable = False
    return model


def _check_arguments(
    architecture: str,
    output_units: int,
    input_shape: tuple[int | None, int | None, int],
    dropout_rate: float,
    include_top: bool,
    pooling: str | None,
    weights: str | None,
) -> None:
    if architecture not in BLOCKS:
        raise ValueError(f"architecture must be one of {', '.join(BLOCKS)}. Received: {architecture!r}")
    if include_top and output_units < 2:
        raise ValueError(f"output_units must be at least 2. Received: {output_units}")
    if len(input_shape) != 3:
        raise ValueError(f"input_shape must be (height, width, channels). Received: {input_shape}")
    if any(side is not None and side < MIN_SIZE for side in input_shape[:2]):
        raise ValueError(f"Height and width of input_shape must be at least {MIN_SIZE}. Received: {input_shape}")
    if input_shape[2] not in (1, 3):
        raise ValueError(f"The channels of input_shape must be 1 or 3. Received: {input_shape}")
    if not 0.0 <= dropout_rate < 1.0:
        raise ValueError(f"dropout_rate must be in [0, 1). Received: {dropout_rate}")
    if pooling not in ("avg", "max", "flatten", None):
        raise ValueError(f"pooling must be 'avg', 'max', 'flatten' or None. Received: {pooling!r}")
    if include_top and pooling is None:
        raise ValueError("With include_top, pooling must be 'avg', 'max' or 'flatten'. Received: None")
    if weights == IMAGENET and BLOCKS[architecture][0] == "basic":
        raise ValueError(
            f"weights='imagenet' exist for resnet50, resnet101 and resnet152 only. Received: {architecture!r}"
        )


def ResNet18(  # noqa: N802
    output_units: int,
    input_shape: tuple[int | None, int | None, int],
    normalize: bool = False,
    kernel_regularizer: Any = None,
    dropout_rate: float = 0.0,
    **options: Any,
) -> keras.Model:
    """Build ResNet-18; see `resnet` for the arguments."""
    return resnet("resnet18", output_units, input_shape, normalize, kernel_regularizer, dropout_rate, **options)


def ResNet34(  # noqa: N802
    output_units: int,
    input_shape: tuple[int | None, int | None, int],
    normalize: bool = False,
    kernel_regularizer: Any = None,
    dropout_rate: float = 0.0,
    **options: Any,
) -> keras.Model:
    """Build ResNet-34; see `resnet` for the arguments."""
    return resnet("resnet34", output_units, input_shape, normalize, kernel_regularizer, dropout_rate, **options)


def ResNet50(  # noqa: N802
    output_units: int,
    input_shape: tuple[int | None, int | None, int],
    normalize: bool = False,
    kernel_regularizer: Any = None,
    dropout_rate: float = 0.0,
    **options: Any,
) -> keras.Model:
    """Build ResNet-50; see `resnet` for the arguments."""
    return resnet("resnet50", output_units, input_shape, normalize, kernel_regularizer, dropout_rate, **options)


def ResNet101(  # noqa: N802
    output_units: int,
    input_shape: tuple[int | None, int | None, int],
    normalize: bool = False,
    kernel_regularizer: Any = None,
    dropout_rate: float = 0.0,
    **options: Any,
) -> keras.Model:
    """Build ResNet-101; see `resnet` for the arguments."""
    return resnet("resnet101", output_units, input_shape, normalize, kernel_regularizer, dropout_rate, **options)


def ResNet152(  # noqa: N802
    output_units: int,
    input_shape: tuple[int | None, int | None, int],
    normalize: bool = False,
    kernel_regularizer: Any = None,
    dropout_rate: float = 0.0,
    **options: Any,
) -> keras.Model:
    """Build ResNet-152; see `resnet` for the arguments."""
    return resnet("resnet152", output_units, input_shape, normalize, kernel_regularizer, dropout_rate, **options)
