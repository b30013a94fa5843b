"""The five ResNets of He et al., "Deep Residual Learning for Image Recognition" (arXiv 1512.03385, table 1).

    model = ResNet50(8, (96, 96, 3), normalize=True)  # N×96×96×3 in 0–255 in, N×8 probabilities out

Layers are named, padded and parametrized as in `keras.applications` (version 1: biases in the convolutions, the stride
on a bottleneck's first 1×1 convolution), so its weights fit. ResNet-18 and -34, which it lacks, follow the same names.
With `bottleneck_stride="middle"` (the 3×3 convolution) and other names for the weights, they are PyTorch's.
"""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import keras

from components.models.blocks import BLOCKS as BLOCKS  # given out as well
from components.models.pretrained import (
    IMAGENET,
    BottleneckStride,
    CaffePreprocessing,
    Conventions,
    Standardization,
    Stem,
    conventions_for,
    load_imagenet,
    load_weights,
)
from components.models.residual import STEMS, Layers, stack

Pooling = Literal["avg", "max", "flatten"]

MIN_SIZE = 32  # the last stage has a stride of 32


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
    stem: Stem | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    bottleneck_stride: BottleneckStride | None = None,
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
        weights: "imagenet" (50, 101, 152), or a path to .safetensors of PyTorch, or to .weights.h5, .keras or a
            SavedModel of this pipeline; a classifier of another number of classes is left out.
        freeze: train the classifier alone.
        imagenet_preprocessing: change the input as ImageNet's weights expect it; weights that need it bring it along.
        stem: "imagenet", the paper's, or "small" or "tiny" for images of few pixels (see `residual`); None: what
            `weights` have, otherwise "imagenet".
        mean: of each channel, subtracted from the (rescaled) input; None: what `weights` expect, so for .safetensors
            and 3 channels ImageNet's, otherwise nothing.
        std: of each channel, by which the input is divided then; given together with `mean`.
        bottleneck_stride: "first" puts a bottleneck's stride on its 1×1 convolution, as keras.applications does,
            "middle" on the 3×3, as PyTorch does; None: what `weights` expect, so for .safetensors "middle", otherwise
            "first".
        name: of the model; the architecture by default.

    Returns:
        A `keras.Model`, not compiled.

    Raises:
        ValueError: an argument is out of its range, or the weights don't fit.
        FileNotFoundError: there are no weights at the path.
        ConnectionError: the ImageNet weights can't be downloaded.
    """
    _check_arguments(architecture, output_units, input_shape, dropout_rate, include_top, pooling, weights, stem)
    conventions = conventions_for(weights, input_shape[2], imagenet_preprocessing, mean, std, bottleneck_stride, stem)
    _check_conventions(conventions, normalize, input_shape)
    block, counts = BLOCKS[architecture]
    layers = Layers(
        kernel_initializer,
        kernel_regularizer,
        batch_norm_momentum,
        zero_init_residual,
        conventions.bottleneck_stride,
    )

    inputs = x = keras.Input(input_shape, name="image")
    if after_input is not None:
        x = after_input(x)
    # Three channels cost nothing in float32, and a difference of two bfloat16 has fewer digits than either.
    dtype = "float32" if conventions.mean is not None else None
    if normalize:
        x = keras.layers.Rescaling(1.0 / 255.0, dtype=dtype, name="rescale")(x)
    if conventions.mean is not None and conventions.std is not None:
        x = Standardization(conventions.mean, conventions.std, dtype=dtype, name="standardize")(x)
    if conventions.imagenet_preprocessing:
        x = CaffePreprocessing(name="preprocess")(x)
    x = STEMS[conventions.stem](layers, x)
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
        load_weights(
            model,
            weights,
            architecture,
            lambda units: resnet(architecture, units, input_shape, pooling=pooling or "avg", stem=conventions.stem),
        )
    if freeze:
        backbone.trainable = False
    return model


def _check_conventions(
    conventions: Conventions, normalize: bool, input_shape: tuple[int | None, int | None, int]
) -> None:
    channels = input_shape[2]
    mean, std = conventions.mean, conventions.std
    if conventions.imagenet_preprocessing and (normalize or mean is not None or channels != 3):
        raise ValueError(
            "ImageNet's weights take 3 channels and bring their own preprocessing, so normalize must be False, and "
            f"mean and std None. Received: normalize={normalize}, mean={mean}, std={std}, input_shape={input_shape}"
        )
    if (mean is not None or std is not None) and not (
        mean is not None and std is not None and len(mean) == len(std) == channels and min(std) > 0.0
    ):
        raise ValueError(
            f"mean and std are given together, a number for each of {channels} channels, those of std above 0. "
            f"Received: mean={mean}, std={std}"
        )
    if conventions.bottleneck_stride not in get_args(BottleneckStride):
        raise ValueError(
            f"bottleneck_stride must be 'first', 'middle' or None. Received: {conventions.bottleneck_stride!r}"
        )


def _check_arguments(
    architecture: str,
    output_units: int,
    input_shape: tuple[int | None, int | None, int],
    dropout_rate: float,
    include_top: bool,
    pooling: str | None,
    weights: str | None,
    stem: str | None,
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
    if stem is not None and stem not in STEMS:
        raise ValueError(f"stem must be 'imagenet', 'small' or 'tiny'. Received: {stem!r}")
    if weights == IMAGENET and stem not in (None, IMAGENET):
        raise ValueError(f"ImageNet's weights need stem='imagenet'. Received: {stem!r}")
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
