"""The directions of all originals' features: who they are, and a row of unit length for each, in a file.

A row is 4 bytes a feature: 29,042 images are 60 MB with ResNet-18's 512 features, 238 MB with ResNet-50's 2048. They
lie in a temporary file that is mapped into memory, so that a machine with less reads what it needs.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.formats.dataset import SPLITS, read_columns
from components.formats.found_images import find_images

Embed = Callable[[Iterable[bytes]], Iterator[NDArray[np.float32]]]


class Embeddings(NamedTuple):
    """N originals of a data set, in the order of its shards.

    Attributes:
        names: [N] ids.
        labels: [N] class names.
        splits: [N].
        groups: [N].
        features: [N, F] of unit length.
    """

    names: NDArray[np.str_]
    labels: NDArray[np.str_]
    splits: NDArray[np.str_]
    groups: NDArray[np.str_]
    features: NDArray[np.float32]

    def of(self, split: str) -> "Embeddings":
        """Return the rows of a split, which lie behind each other: nothing is copied."""
        rows = np.flatnonzero(self.splits == split)
        first, last = (rows[0], rows[-1] + 1) if len(rows) else (0, 0)
        return Embeddings(**{name: column[first:last] for name, column in self._asdict().items()})


def embed_originals(dataset: Path, embed: Embed, file: Path) -> Embeddings:
    """Ask a model for the features of all originals of a split data set.

    Args:
        dataset: its folder.
        embed: from encoded images to [n, F] features, batch by batch.
        file: where the features lie while they are needed.

    Raises:
        ValueError: the model can't decode an image; the message has its id.
    """
    tables = [read_columns(dataset, split, ("id", "label", "split", "group", "copy")) for split in SPLITS]
    columns = pa.concat_tables(tables).to_pydict()
    kept = [row for row, copy in enumerate(columns["copy"]) if not copy]
    names, labels, splits, groups = (
        np.array([columns[key][row] for row in kept], np.str_) for key in ("id", "label", "split", "group")
    )
    images = (image for _, image in find_images(dataset, names.tolist()))
    features: NDArray[np.float32] | None = None
    filled = 0
    for batch in embed(images):
        if features is None:
            features = np.memmap(file, np.float32, "w+", shape=(len(names), batch.shape[1]))
        if (broken := np.flatnonzero(np.isnan(batch).any(axis=1))).size:
            raise ValueError(
                f"the model couldn't decode {names[filled + broken[0]]}: ingest the data again, or take the file out "
                "of the data folder"
            )
        features[filled : filled + len(batch)] = unit_rows(batch)
        filled += len(batch)
    return Embeddings(names, labels, splits, groups, np.zeros((0, 1), np.float32) if features is None else features)


def unit_rows(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows of length 1; a row of zeros, which has no direction, stays one."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(lengths > 0, lengths, 1.0)
