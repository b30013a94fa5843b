"""The images of train that tell how large a network's activations get, for int8."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.formats.dataset import read_columns
from components.formats.found_images import find_images
from components.images.model_input import model_input
from components.images.options import ImageOptions

IMAGES = 200


def calibration_images(dataset: Path, image: ImageOptions) -> list[NDArray[np.uint8]]:
    """Return originals of train as a network takes them, in the order of the shards.

    Args:
        dataset: with splits.
        image: the network's input.
    """
    return list(_pixels(dataset, chosen(read_columns(dataset, "train", ["id", "label", "pixels", "copy"])), image))


def chosen(table: pa.Table, most: int = IMAGES) -> list[str]:
    """Return ids of originals: as many of each class as there are, by the digests of their pixels.

    Args:
        table: `id`, `label`, `pixels` and `copy` of a split.
        most: ids at most.
    """
    by_class: dict[str, list[tuple[str, str]]] = {}
    for row in table.filter(pc.field("copy") == 0).to_pylist():
        by_class.setdefault(row["label"], []).append((row["pixels"], row["id"]))
    turns = [(turn, label, name) for label, images in by_class.items() for turn, (_, name) in enumerate(sorted(images))]
    return [name for _, _, name in sorted(turns)[:most]]


def _pixels(dataset: Path, ids: list[str], image: ImageOptions) -> Iterator[NDArray[np.uint8]]:
    for _, data in find_images(dataset, ids, ["train"]):
        yield model_input(data, image)
