"""A network whose `fit` takes batches that still have to be made, which then happens in the compiled step."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from components.training.adjusted_model import AdjustedModel
from components.training.imbalance import Correction

Stage = Callable[[Any], Any]


class FedModel(AdjustedModel):
    """The same layers and variables as `network`, with a stage before each step.

    Args:
        network: built, from images to logits.
        correction: of the training loss.
        training: makes (images, targets, weights) of what the training's dataset holds.
        evaluation: makes (images, targets, weights) of what the validation's dataset holds.
        steps: of an epoch and of an evaluation.
        building: called with a program's name when it is traced.
    """

    train_function: Any
    test_function: Any

    def __init__(
        self,
        network: keras.Model,
        correction: Correction,
        training: Stage,
        evaluation: Stage,
        steps: tuple[int, int],
        building: Callable[[str], None],
    ) -> None:
        super().__init__(network, correction)
        self._training_stage, self._evaluation_stage, self._building = training, evaluation, building
        self._steps = steps
        self._by_xla = self._judging = False

    @property
    def jit_compile(self) -> bool:
        """Whether XLA compiles the steps.

        Keras' own refuses to where deterministic kernels are asked for, since XLA has none for some operations. There
        are none of those in this project's networks, and XLA heeds the same switch for what it does.
        """
        return self._by_xla

    @jit_compile.setter
    def jit_compile(self, value: bool) -> None:
        self._by_xla = value

    def compile(self, *, metrics: Any = None, **options: Any) -> None:
        """Compile as any model, with metrics that the weights count in: they leave out what fills up a batch."""
        super().compile(weighted_metrics=metrics, **options)

    def make_train_function(self, force: bool = False) -> None:
        """Make what `fit` calls for an execution; `force` lets a changed step be traced."""
        if self.train_function is None or force:
            self.train_function = Executions(
                self._on_devices(self.train_step), self._steps[0], self.steps_per_execution
            )

    def make_test_function(self, force: bool = False) -> None:
        """Make what `evaluate` calls for an execution."""
        if self.test_function is None or force:
            self.test_function = Executions(self._on_devices(self.test_step), self._steps[1], self.steps_per_execution)

    def _on_devices(self, step: Stage) -> Stage:
        strategy = self.distribute_strategy

        def on_devices(data: Any) -> Any:
            logs = strategy.run(step, args=(data,))
            return tf.nest.map_structure(lambda value: strategy.reduce("MEAN", value, axis=None), logs)

        return tf.function(
            on_devices,
            reduce_retracing=True,
            jit_compile=self.jit_compile,
            autograph=False,
            experimental_attributes=None if self.jit_compile else {"_noinline": True},
        )

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Update the metrics, in training with all images alike."""
        return super().compute_metrics(x, y, y_pred, sample_weight if self._judging else None)

    def train_step(self, data: Any) -> Any:
        """Make the batch and take the step."""
        self._building("training step")
        return super().train_step(self._training_stage(data))

    def test_step(self, data: Any) -> Any:
        """Make the batch and judge it."""
        self._building("evaluation step")
        self._judging = True  # while this is traced
        try:
            return super().test_step(self._evaluation_stage(data))
        finally:
            self._judging = False

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:  # noqa: ARG002
        """Build loss and metrics from what the network is given, not from what the dataset holds.

        With a strategy, Keras builds them before the first step is traced, and looks at the dataset.
        """
        if isinstance(self.distribute_strategy, tf.distribute.MirroredStrategy):
            images, logits = self.inputs[0], self.outputs[0]
            batch = (tf.zeros((1, *images.shape[1:])), tf.zeros((1, *logits.shape[1:])), tf.ones((1,)))
            super()._maybe_symbolic_build(data_batch=batch)


class Executions:
    """Runs several steps at once: what Keras spends between two of them is more than a GPU takes for one.

    Keras has such a loop itself, but not for several devices, and it would draw each step's data when the step before
    is over.

    Args:
        step: from a batch to the figures so far.
        steps: that an iterator has.
        size: steps at once; the last ones of an iterator may be fewer.
    """

    def __init__(self, step: Stage, steps: int, size: int) -> None:
        self._steps, self._size, self._done = steps, size, 0
        self._iterator: Any = None

        def several(iterator: Any, count: int) -> Any:
            return [step(iterator.get_next()) for _ in range(count)][-1]

        self._several = tf.function(several, autograph=False)

    def __call__(self, iterator: Any) -> Any:
        """Run the iterator's next steps; return the figures after the last one."""
        if iterator is not self._iterator:
            self._iterator, self._done = iterator, 0
        count = min(self._size, self._steps - self._done)
        self._done += count
        return self._several(iterator, count)
