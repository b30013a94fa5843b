"""Small pictures as data URIs, found in an ImageDataset by id."""

import base64
from collections.abc import Iterable
from pathlib import Path

import cv2
import pyarrow.parquet as pq

from components.formats.dataset import SPLITS, shard_paths
from components.images.codec import BadImage, decode, encode

_SIDE = 96
_QUALITY = 80


def thumbnails(dataset: Path, ids: Iterable[str], splits: Iterable[str] = SPLITS) -> dict[str, str]:
    """Return data URIs of the images with these ids, at most 96 pixels a side; ids that aren't there are left out."""
    wanted = set(ids)
    found: dict[str, str] = {}
    for split in splits:
        for path in shard_paths(dataset, split):
            if not wanted:
                return found
            table = pq.read_table(path, columns=["id", "image"], filters=[("id", "in", list(wanted))])
            for row in table.to_pylist():
                found[row["id"]] = _data_uri(row["image"])
                wanted.discard(row["id"])
    return found


def _data_uri(data: bytes) -> str:
    try:
        pixels = decode(data).pixels
    except BadImage:  # a file that TensorFlow made something of, or it would have been quarantined
        return ""
    scale = _SIDE / max(pixels.shape[:2])
    if scale < 1:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return "data:image/jpeg;base64," + base64.b64encode(encode(pixels, "jpeg", _QUALITY)).decode()
