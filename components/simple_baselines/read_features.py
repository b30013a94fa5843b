"""The features of a split's images, read a row group at a time: no more than the features is held in memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.formats.dataset import open_shard, read_columns, shard_paths
from components.simple_baselines.hog import FEATURES, hog, small_grey

# Of a split, to fit and to choose on: what AffectNet's 29,042 images need, in a quarter of a minute and 110 MB.
MOST_IMAGES = 30_000


def originals(dataset: Path, split: str, most: int = MOST_IMAGES) -> NDArray[np.int64]:
    """Return the rows of a split, in order, that something is fitted or chosen on.

    These are its originals that count in the loss. Of more than `most`, each class gives the same share, rounded up
    from the digests of its pixels in order: a draw that depends on the images alone.
    """
    table = read_columns(dataset, split, ["id", "label", "copy", "weight", "pixels"])
    labels, digests, ids = (table[name].to_pylist() for name in ("label", "pixels", "id"))
    usable = (table["copy"].to_numpy() == 0) & (weights_of(table) > 0)
    rows = np.flatnonzero(usable).tolist()
    if len(rows) <= most:
        return np.array(rows, np.int64)
    rows.sort(key=lambda row: (labels[row], digests[row], ids[row]))
    _, place = np.unique([labels[row] for row in rows], return_inverse=True)
    counts = np.bincount(place)
    rank = np.arange(len(rows)) - (np.cumsum(counts) - counts)[place]
    first = np.argsort(rank / counts[place], kind="stable")[:most]
    return np.sort(np.array(rows, np.int64)[first])


def weights_of(table: pa.Table) -> NDArray[np.float64]:
    """Return what each row's image counts in the loss: 1 where nothing is said."""
    return np.asarray(table["weight"].fill_null(1.0).to_numpy(), np.float64)


def read_features(dataset: Path, split: str, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the [N, 900] features of some rows of a split, in ascending order.

    Raises:
        ValueError: an image can't be decoded; the message has its id.
    """
    found = np.empty((len(rows), FEATURES), np.float32)
    done = 0
    for features in feature_batches(dataset, split, rows):
        found[done : done + len(features)] = features
        done += len(features)
    return found


def feature_batches(dataset: Path, split: str, rows: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
    """Yield the [n, 900] features of some rows of a split, in ascending order.

    Raises:
        ValueError: an image can't be decoded; the message has its id.
    """
    start = 0
    for path in shard_paths(dataset, split):
        with open_shard(path, str(path)) as file:
            for group in range(file.num_row_groups):
                size = file.metadata.row_group(group).num_rows
                wanted = rows[(rows >= start) & (rows < start + size)] - start
                start += size
                if len(wanted):
                    table = file.read_row_group(group, columns=["id", "image", "height", "width"]).take(wanted)
                    yield np.stack([_features(row, split) for row in table.to_pylist()])


def _features(row: dict[str, Any], split: str) -> NDArray[np.float32]:
    pixels = small_grey(row["image"], min(row["height"], row["width"]))
    if pixels is None:
        raise ValueError(
            f"OpenCV can't decode {row['id']} of {split}: ingest the data again, or take the file out of the data "
            "folder"
        )
    return hog(pixels)
