"""A network whose training loss is that of its logits plus an offset a class (see `imbalance`)."""

from typing import Any

import keras

from components.training.imbalance import Correction


class AdjustedModel(keras.Model):
    """The same layers and variables as `network`: what it answers, and how it is judged, is as without the offsets.

    Args:
        network: built, from images to logits.
        correction: of the training loss; classes' weights come with the batches.
    """

    def __init__(self, network: keras.Model, correction: Correction) -> None:
        super().__init__(inputs=network.inputs, outputs=network.outputs, name=network.name)
        self._offsets = correction.offsets if correction.adjusts else None

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Return the loss of a batch."""
        if training and self._offsets is not None and y_pred is not None:
            y_pred = y_pred + self._offsets
        return super().compute_loss(x, y, y_pred, sample_weight, training)
