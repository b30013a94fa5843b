"""What a model says of a split's images, beside what is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.formats.dataset import read_columns
from components.formats.predictions import read_predictions


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
        """Return [C, C] counts, given classes in rows, predicted in columns."""
        flat = np.bincount(self.labels * classes + self.predicted, minlength=classes * classes)
        return flat.reshape(classes, classes)

    def where(self, mask: NDArray[np.bool_]) -> "Predictions":
        """Return the rows where `mask` is true."""
        return Predictions(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))


def read_split(
    dataset: Path, split: str, labels: Sequence[str], predicted: Path, *, originals: bool = False
) -> Predictions:
    """Read a split's images and what a model said of them.

    Args:
        dataset: the split data set.
        split: name of the split.
        labels: class names in the order of their ids.
        predicted: folder of the artifact that holds the predictions.
        originals: leave copies out, which not everybody predicts.

    Raises:
        KeyError: an image wasn't predicted.
        ValueError: the model couldn't decode one; the message has its id.
    """
    table = read_columns(dataset, split, ["id", "label", "group", "copy"])
    if originals:
        table = table.filter(pc.field("copy") == 0)
    ids, names, groups, copies = (column.to_pylist() for column in table.columns)
    place = {label: index for index, label in enumerate(labels)}
    probabilities = read_predictions(predicted, ids)
    if (broken := np.flatnonzero(np.isnan(probabilities).any(axis=1))).size:
        name = ids[broken[0]]
        raise ValueError(
            f"the model couldn't decode {name} of {split} ({broken.size} such): ingest the data again, or take the "
            "file out of the data folder"
        )
    return Predictions(
        probabilities=probabilities,
        labels=np.array([place[name] for name in names], np.int64),
        groups=np.array(groups),
        names=np.array(ids),
        augmented=np.array(copies) > 0,
    )
