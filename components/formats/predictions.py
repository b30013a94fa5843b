"""What a model says of a split's images, written by whoever asked it, so that nobody asks it again.

One row an image in `probabilities.parquet`, sorted by id: the same predictions are the same bytes.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.formats.dataset import open_shard, write_table
from components.formats.version import KEY
from components.tools.files import StrPath

VERSION = 1
_FILE = "probabilities.parquet"
_SCHEMA = pa.schema(
    [pa.field("id", pa.string(), nullable=False), pa.field("probabilities", pa.list_(pa.float32()), nullable=False)],
    metadata={KEY: str(VERSION)},
)


def write_predictions(ids: Sequence[str], probabilities: NDArray[np.float32], folder: StrPath) -> None:
    """Write [N] ids and the [N, C] probabilities of the classes, in the order of their ids, into a folder.

    Raises:
        ValueError: there aren't as many different ids as rows.
    """
    if not len(set(ids)) == len(ids) == len(probabilities):
        raise ValueError(f"each row needs an id of its own. Received: {len(probabilities)} rows, {len(set(ids))} ids")
    order = sorted(range(len(ids)), key=lambda index: ids[index])
    values = pa.array(np.asarray(probabilities, np.float32)[order].ravel())
    offsets = pa.array(np.arange(len(ids) + 1) * probabilities.shape[1], pa.int32())
    columns = [pa.array([ids[index] for index in order], pa.string()), pa.ListArray.from_arrays(offsets, values)]
    write_table(pa.Table.from_arrays(columns, schema=_SCHEMA), Path(folder) / _FILE)


def read_predictions(folder: StrPath, ids: Sequence[str]) -> NDArray[np.float64]:
    """Return the [N, C] probabilities of these images, in their order.

    Raises:
        KeyError: one of them wasn't predicted.
        NewerFormatError: the file is of a later format.
    """
    path = Path(folder) / _FILE
    with open_shard(path, str(path), VERSION) as file:
        table = file.read()
    place = {image: index for index, image in enumerate(table["id"].to_pylist())}
    if missing := next((image for image in ids if image not in place), None):
        raise KeyError(f"{path} has no prediction of {missing}")
    flat = table["probabilities"].combine_chunks().flatten().to_numpy(zero_copy_only=False).astype(np.float64)
    return flat.reshape(len(place), -1)[[place[image] for image in ids]]
