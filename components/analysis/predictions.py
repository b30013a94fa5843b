"""What a SavedModel says of the images in TFRecords, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.formats import nodes
from components.formats.examples import AUGMENTED, GROUP, ID, LABEL
from components.tools.progress import Progress

_BATCH = 128


@dataclass(frozen=True)
class Predictions:
    """One split.

    Attributes:
        probabilities: [N, C] float64, rows sum to 1.
        labels: [N] int64, the given classes.
        groups: [N] text; images of one group aren't independent.
        names: [N] text, the images' ids.
        augmented: [N] bool.
    """

    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64]
    groups: NDArray[np.str_]
    names: NDArray[np.str_]
    augmented: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """[N], the class with the highest probability."""
        return self.probabilities.argmax(axis=1)

    def confusion(self, classes: int) -> NDArray[np.int64]:
        """[C, C] counts, given classes in rows, predicted in columns."""
        flat = np.bincount(self.labels * classes + self.predicted, minlength=classes * classes)
        return flat.reshape(classes, classes)

    def where(self, mask: NDArray[np.bool_]) -> "Predictions":
        """The rows where `mask` is true."""
        return Predictions(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))


_FEATURES = {
    LABEL: tf.io.FixedLenFeature([], tf.int64),
    GROUP: tf.io.FixedLenFeature([], tf.string),
    ID: tf.io.FixedLenFeature([], tf.string),
    AUGMENTED: tf.io.FixedLenFeature([], tf.int64),
}


def predict_split(model: Path, files: Sequence[Path], name: str) -> Predictions:
    """Run the model's `serve_examples` over gzip TFRecords.

    Args:
        model: SavedModel folder.
        files: TFRecord shards.
        name: of the split, for the progress display.
    """
    loaded = tf.saved_model.load(str(model))
    signature = loaded.signatures["serve_examples"]
    records = tf.data.TFRecordDataset([str(file) for file in files], compression_type="GZIP").batch(_BATCH)
    probabilities: list[Any] = []
    rows: dict[str, list[Any]] = {feature: [] for feature in _FEATURES}
    progress, done = Progress(nodes.ANALYSIS, 0), 0
    for batch in records:
        probabilities.append(signature(batch)["probabilities"].numpy())
        for feature, values in tf.io.parse_example(batch, _FEATURES).items():
            rows[feature].append(values.numpy())
        done += len(batch)
        progress(done, f"{name}: {done} images")
    joined = {feature: np.concatenate(values) for feature, values in rows.items()}
    return Predictions(
        probabilities=np.concatenate(probabilities).astype(np.float64),
        labels=joined[LABEL],
        groups=_text(joined[GROUP]),
        names=_text(joined[ID]),
        augmented=joined[AUGMENTED].astype(bool),
    )


def _text(values: NDArray[Any]) -> NDArray[np.str_]:
    return np.array([value.decode() for value in values])
