"""A split data set of pictures that differ, some of which are versions of each other, and an untrained model."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from components.formats.dataset import SPLITS, ImageRow, shard_name, write_shard
from components.images.codec import encode
from components.images.options import ImageOptions
from components.models.resnets import ResNet18
from components.training.export import export

LABELS = ["land", "sea"]
SIDE = 64

Pixels = NDArray[np.uint8]


def cloud(seed: int) -> Pixels:
    """A picture of soft spots of colour, unlike that of any other seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 7, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))


def row(name: str, split: str, image: bytes, group: str | None = None, copy: int = 0) -> ImageRow:
    label = LABELS[len(name) % 2]
    place = (SIDE, SIDE, 3, name.ljust(64, "."), name, None, 100.0, group or name)
    return ImageRow(name, label, split, image, "png", *place, name, copy, name)


def write_dataset(folder: Path, rows: Mapping[str, list[ImageRow]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        write_shard(rows.get(split, []), folder / shard_name(split, 0, 1))
    return folder


def clouds(split: str, count: int, first: int) -> list[ImageRow]:
    names = [f"{split}/{'x' * (number % 2)}{number}.png" for number in range(count)]
    return [row(name, split, encode(cloud(first + number), "png")) for number, name in enumerate(names)]


def untrained_model(folder: Path) -> Path:
    """Export a network with random weights; its features tell pictures apart well enough."""
    keras.utils.set_random_seed(0)
    network = ResNet18(len(LABELS), (32, 32, 3), normalize=True, classifier_activation=None)
    export(network, str(folder), LABELS, ImageOptions(height=32, width=32), 1.0, {})
    return folder
