"""The network of the options: as it is trained, and as it is served."""

from dataclasses import asdict

import keras

from components.models import resnets
from components.models.pretrained import Conventions, conventions_for, conventions_of_model
from components.models.residual import stem_for
from components.training.options import ModelOptions
from components.training.precision import dtype_policy


def build_model(
    options: ModelOptions,
    classes: int,
    input_shape: tuple[int, int, int],
    precision: str = "float32",
    *,
    conventions: Conventions | None = None,
    after_input: keras.Layer | None = None,
) -> keras.Model:
    """Build the network of `options`, computing in `precision` and returning logits.

    `conventions`, if given, replace those of the options and the weights; `after_input` is a layer before all others.
    """
    chosen = asdict(conventions) if conventions else options.conventions()
    if options.stem == "auto" and options.weights is None and conventions is None:
        chosen["stem"] = stem_for(*input_shape[:2])
    deep = resnets.BLOCKS[options.architecture][0] == "bottleneck"
    zero_init_residual = deep if options.zero_init_residual is None else options.zero_init_residual
    if conventions is None and not options.normalize:
        needed = conventions_for(options.weights, input_shape[2], **options.conventions())
        if needed.mean is not None:
            raise ValueError(
                f"model.weights={options.weights} are of a network whose pixels are in [0, 1]: set "
                "model.normalize=true. Received: false"
            )
    with dtype_policy(precision):
        return resnets.resnet(
            options.architecture,
            classes,
            input_shape,
            options.normalize,
            keras.regularizers.L2(options.l2) if options.l2 else None,
            options.dropout,
            classifier_activation=None,
            zero_init_residual=zero_init_residual,
            weights=options.weights,
            freeze=options.freeze,
            after_input=after_input,
            **chosen,
        )


def copy_in_float32(model: keras.Model, options: ModelOptions) -> keras.Model:
    """Copy a trained model of `options`, so that what serves it needs no fast bfloat16."""
    copy = build_model(
        options.model_copy(update={"weights": None}),
        model.output_shape[-1],
        model.input_shape[1:],
        conventions=conventions_of_model(model),
    )
    copy.set_weights(model.get_weights())
    return copy
