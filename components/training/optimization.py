"""Optimizers and learning-rate schedules: given in epochs, turned into steps here."""

from collections.abc import Callable

import keras

from components.training.options import TrainOptions

# Decay shrinks what multiplies an input; scales and offsets are left alone.
NOT_DECAYED = ("bias", "gamma", "beta")


def make_optimizer(
    options: TrainOptions, steps_per_epoch: int, precision: str = "float32"
) -> keras.optimizers.Optimizer:
    """Build the optimizer; float16 gradients are scaled so that small ones don't vanish."""
    optimizer = OPTIMIZERS[options.optimizer](learning_rate(options, steps_per_epoch), options)
    if optimizer.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=list(NOT_DECAYED))
    return keras.optimizers.LossScaleOptimizer(optimizer) if precision == "float16" else optimizer


OPTIMIZERS: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
    "sgd": lambda rate, options: keras.optimizers.SGD(
        rate, momentum=options.momentum, nesterov=options.nesterov, weight_decay=options.weight_decay or None
    ),
    "adam": lambda rate, _: keras.optimizers.Adam(rate),
    "adamw": lambda rate, options: keras.optimizers.AdamW(rate, weight_decay=options.weight_decay or None),
}


def learning_rate(
    options: TrainOptions, steps_per_epoch: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Return the schedule over steps; a plateau's reductions are made by a callback, so that is a number here."""
    if options.schedule != "cosine":
        return options.learning_rate
    total = options.epochs * steps_per_epoch
    warmup = min(options.warmup_epochs * steps_per_epoch, total // 2)
    if not warmup:
        return keras.optimizers.schedules.CosineDecay(options.learning_rate, total)
    return keras.optimizers.schedules.CosineDecay(
        options.learning_rate / warmup, total - warmup, warmup_target=options.learning_rate, warmup_steps=warmup
    )


def current_learning_rate(optimizer: keras.optimizers.Optimizer) -> float:
    """Return the rate of the next step."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return float(keras.ops.convert_to_numpy(inner.learning_rate))
