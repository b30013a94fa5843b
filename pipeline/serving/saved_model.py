"""A pushed SavedModel as the service asks it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.formats.examples import read_labels
from components.formats.saved_model import ASSETS, loadable
from components.images.codec import Picture, for_tensorflow
from pipeline.serving.model import Answer
from pipeline.serving.rest_form import SIGNATURE


class SavedModel:
    """A SavedModel with the signature `serving_default` of `components.training.export`.

    Attributes:
        labels: class names in the order of their ids.

    Raises:
        Exception: of a dozen kinds, if files are missing, damaged, or not of this project.
    """

    def __init__(self, folder: Path) -> None:
        import tensorflow as tf

        self.labels = tuple(read_labels(folder / ASSETS))
        with loadable(folder) as path:
            self._model = tf.saved_model.load(path)  # the signature alone doesn't keep its variables alive
        if SIGNATURE not in self._model.signatures:
            raise ValueError(f"the model has no signature {SIGNATURE}")
        self._signature = self._model.signatures[SIGNATURE]
        self._constant = tf.constant

    def prepare(self, data: bytes, picture: Picture) -> Any:
        """Return bytes that TensorFlow decodes to the picture."""
        return for_tensorflow(data, picture)[0]

    def answer(self, images: Sequence[Any]) -> list[Answer]:
        """Return an answer for each image."""
        outputs = self._signature(image_bytes=self._constant(list(images)))
        # Models of earlier versions have no such output: they always answer.
        accepted = outputs.get("accepted", outputs["score"] == outputs["score"])
        return [
            Answer(*row)
            for row in zip(outputs["probabilities"].numpy().tolist(), accepted.numpy().tolist(), strict=True)
        ]
