"""Rates of learning that differ between a network's layers, and between two stages of fine-tuning (see `stages`).

There is one optimizer for both stages, with a place for every variable from the beginning. What it knows of the
classifier is kept, and a checkpoint of either stage fits. Adam's moments of the backbone begin at zero when the second
stage does, so that is from where its correction for that counts its steps.
"""

import re
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from components.models.pretrained import CLASSIFIER
from components.training.options import TrainOptions

_STAGE = re.compile(r"conv(\d+)_")


def rates(paths: Sequence[str], layer_decay: float) -> list[float]:
    """Return the multiple of the learning rate for each weight of a ResNet, by its path."""
    stages = [int(match[1]) if (match := _STAGE.match(path)) else None for path in paths]
    last = max((stage for stage in stages if stage is not None), default=0)
    return [1.0 if stage is None else layer_decay ** (last - stage + 1) for stage in stages]


def graded(
    kind: type[keras.optimizers.Optimizer], options: TrainOptions, steps_per_epoch: int
) -> type[keras.optimizers.Optimizer]:
    """Return an optimizer's class for `train.head_epochs` and `train.layer_decay`; itself where there are neither."""
    if not options.head_epochs and options.layer_decay == 1.0:
        return kind
    head_steps = options.head_epochs * steps_per_epoch

    class Graded(kind):  # type: ignore[valid-type,misc]
        """Updates and decays each variable at its own multiple of the learning rate."""

        weight_decay: float | None

        def build(self, variables: Sequence[keras.Variable]) -> None:
            """Find the multiples of the variables."""
            super().build(variables)
            paths = [variable.path for variable in variables]
            self._rates = rates(paths, options.layer_decay)
            self._later = [not path.startswith(f"{CLASSIFIER}/") for path in paths]

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            """Update one variable."""
            index = self._get_variable_index(variable)
            rate = learning_rate * self._rates[index]
            if head_steps and self._later[index] and isinstance(self, keras.optimizers.Adam):
                steps = ops.cast(self.iterations + 1, "float32")
                own = ops.maximum(steps - head_steps, 1.0)
                rate *= self._correction(own) / self._correction(steps)
            super().update_step(gradient, variable, rate)

        def _correction(self, steps: Any) -> Any:
            """Return what Adam multiplies the rate by, since its moments began at zero so many steps ago."""
            return ops.sqrt(1.0 - ops.power(self.beta_2, steps)) / (1.0 - ops.power(self.beta_1, steps))

        def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
            if self.weight_decay is None:
                return

            def decay(distribution: Any, variables: Sequence[Any]) -> None:
                for variable in filter(self._use_weight_decay, variables):
                    share = self.learning_rate * self.weight_decay * self._rates[self._get_variable_index(variable)]
                    distribution.extended.update(
                        variable.value, lambda value, share=share: value.assign_sub(value * share), group=False
                    )

            # As Keras does it: once for all devices, and not in each one's thread.
            tf.__internal__.distribute.interim.maybe_merge_call(decay, self._distribution_strategy, variables)

    return Graded


class AfterHead(keras.optimizers.schedules.LearningRateSchedule):
    """The full rate for the classifier's steps, then a schedule that begins there."""

    def __init__(self, rate: float, steps: int, then: keras.optimizers.schedules.LearningRateSchedule) -> None:
        self.rate, self.steps, self.then = rate, steps, then

    def __call__(self, step: Any) -> Any:
        """Return the rate of a step."""
        step = ops.cast(step, "float32")
        later = self.then(ops.maximum(step - self.steps, 0.0))
        return ops.where(step < self.steps, ops.cast(self.rate, later.dtype), later)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"rate": self.rate, "steps": self.steps, "then": self.then}
