"""Fine-tuning in two stages: the classifier learns alone at first, then everything.

A classifier that begins at random sends gradients without meaning into a backbone that knows something already. So for
`train.head_epochs` nothing but the classifier learns: there is no backward pass through the backbone, and its
normalizations keep their statistics. Then everything learns, by a schedule and rates of its own (see `graded`).
"""
# ruff: noqa: ARG002 (Keras passes callbacks their arguments by name)

from typing import Any

import keras

from components.models.pretrained import CLASSIFIER
from components.training.stopping import ReduceOnPlateau, StopEarly


class HeadFirst(keras.callbacks.Callback):
    """Lets the classifier alone learn for some epochs, then everything.

    Args:
        epochs: of the classifier.
        watchers: whose patience begins again with the second stage.
    """

    def __init__(self, epochs: int, *watchers: StopEarly | ReduceOnPlateau | None) -> None:
        super().__init__()
        self.epochs, self.watchers = epochs, watchers
        self._alone = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Enter the stage that the epoch belongs to, wherever the training begins."""
        alone = epoch < self.epochs
        if alone != self._alone:
            self._alone = alone
            for layer in self.model.layers:
                if layer.name != CLASSIFIER:
                    layer.trainable = not alone
            self.model.make_train_function(force=True)  # the last one was traced for other variables
            self.model.make_test_function(force=True)  # and penalties
        if epoch == self.epochs:
            for watcher in self.watchers:
                if watcher is not None:
                    watcher.begin_again()
