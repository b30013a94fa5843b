"""Optimizers and learning-rate schedules: given in epochs, turned into steps here."""

from collections.abc import Callable

import keras

from components.training.adam import Adam, AdamW
from components.training.graded import AfterHead, graded
from components.training.options import TrainOptions

# Decay shrinks what multiplies an input; scales and offsets are left alone.
NOT_DECAYED = ("bias", "gamma", "beta")


def make_optimizer(
    options: TrainOptions, steps_per_epoch: int, precision: str = "float32"
) -> keras.optimizers.Optimizer:
    """Build the optimizer; float16 gradients are scaled so that small ones don't vanish."""
    kind, make = OPTIMIZERS[options.optimizer]
    optimizer = make(graded(kind, options, steps_per_epoch), learning_rate(options, steps_per_epoch), options)
    if optimizer.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=list(NOT_DECAYED))
    return keras.optimizers.LossScaleOptimizer(optimizer) if precision == "float16" else optimizer


OPTIMIZERS: dict[str, tuple[type[keras.optimizers.Optimizer], Callable[..., keras.optimizers.Optimizer]]] = {
    "sgd": (
        keras.optimizers.SGD,
        lambda kind, rate, options: kind(
            rate, momentum=options.momentum, nesterov=options.nesterov, weight_decay=options.weight_decay or None
        ),
    ),
    "adam": (Adam, lambda kind, rate, options: kind(rate, beta_2=options.beta_2)),
    "adamw": (
        AdamW,
        lambda kind, rate, options: kind(rate, beta_2=options.beta_2, weight_decay=options.weight_decay or None),
    ),
}


def learning_rate(
    options: TrainOptions, steps_per_epoch: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Return the schedule over steps; a plateau's reductions are made by a callback, so that is a number here.

    While the classifier learns alone, the rate is the full one: the warm-up is for the backbone.
    """
    if options.schedule != "cosine":
        return options.learning_rate
    head = options.head_epochs * steps_per_epoch
    total = options.epochs * steps_per_epoch - head
    warmup = min(options.warmup_epochs * steps_per_epoch, total // 2)
    if warmup:
        cosine = keras.optimizers.schedules.CosineDecay(
            options.learning_rate / warmup, total - warmup, warmup_target=options.learning_rate, warmup_steps=warmup
        )
    else:
        cosine = keras.optimizers.schedules.CosineDecay(options.learning_rate, total)
    return AfterHead(options.learning_rate, head, cosine) if head else cosine


def current_learning_rate(optimizer: keras.optimizers.Optimizer) -> float:
    """Return the rate of the next step."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return float(keras.ops.convert_to_numpy(inner.learning_rate))
