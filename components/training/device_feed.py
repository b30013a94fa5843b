"""Both splits as devices get them that work on the pixels themselves, and the model that takes them."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from components.models.pooling import MaxPooling2D
from components.training.compile_clock import CompileClock
from components.training.device_input import (
    HeldImages,
    evaluation_line,
    evaluation_stage,
    training_line,
    training_stage,
)
from components.training.execution import Execution
from components.training.fed_model import FedModel
from components.training.imbalance import Correction
from components.training.input import ImageData
from components.training.options import TrainOptions


class DeviceFeed:
    """The input of one training.

    Args:
        train: what to train on.
        evaluation: what to judge by.
        classes: number of classes.
        options: of training; the batch size is that of all devices together.
        judged: images of an evaluation step.
        seed: of the training.
        execution: where the images lie.
        strategy: whose devices these are.

    Attributes:
        training: the batches of the epoch that the callbacks know of.
        evaluation: those to judge by.
        clock: of the time that compiling takes.
    """

    def __init__(
        self,
        train: ImageData,
        evaluation: ImageData,
        classes: int,
        options: TrainOptions,
        judged: int,
        seed: int,
        execution: Execution,
        strategy: tf.distribute.Strategy,
    ) -> None:
        devices = _devices(strategy)
        held = [
            HeldImages(data.images, devices) if place == "device" else None
            for data, place in ((train, execution.train), (evaluation, execution.evaluation))
        ]
        with tf.device("CPU:0"):
            self._epoch = tf.Variable(0, trainable=False, dtype=tf.int64)
        self.training = training_line(train, options, seed, self._epoch, held[0] is not None)
        self.evaluation = evaluation_line(evaluation, judged, held[1] is not None)
        self._stages = (
            training_stage(train, classes, options, held[0], execution.jit_compile),
            evaluation_stage(classes, held[1]),
        )

        self._steps = (len(self.training), len(self.evaluation))
        self.clock = CompileClock()
        self._jit_compile = execution.jit_compile

    def model(self, network: keras.Model, correction: Correction) -> FedModel:
        """Return the network with these splits' stages before its steps, and a correction of its training loss."""
        for layer in network.layers:
            if isinstance(layer, MaxPooling2D):
                layer.by_slices = self._jit_compile
        return FedModel(network, correction, *self._stages, self._steps, self.clock.building)

    @property
    def callbacks(self) -> list[keras.callbacks.Callback]:
        """The clock, and what tells the input line the epoch: Keras begins to iterate after that."""
        tell = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: self._epoch.assign(epoch))
        return [self.clock, tell]


def _devices(strategy: tf.distribute.Strategy) -> Sequence[str]:
    if strategy.num_replicas_in_sync > 1:
        return tuple(strategy.extended.worker_devices)
    return ["GPU:0" if tf.config.list_logical_devices("GPU") else "CPU:0"]
