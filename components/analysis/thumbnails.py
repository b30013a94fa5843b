"""Small pictures as data URIs, found in an ImageDataset by id."""

import base64
from collections.abc import Iterable
from pathlib import Path

import cv2
import pyarrow as pa
import pyarrow.parquet as pq

from components.formats.dataset import SPLITS, open_shard, shard_paths
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
            with open_shard(path, str(path)) as file:
                for group in range(file.num_row_groups):
                    found |= _in_row_group(file, group, wanted)
            wanted -= found.keys()
    return found


def _in_row_group(file: pq.ParquetFile, group: int, wanted: set[str]) -> dict[str, str]:
    """Read the pictures only where some of them are wanted: a data set is large, and few are shown."""
    ids = file.read_row_group(group, columns=["id"])["id"].to_pylist()
    rows = [row for row, image in enumerate(ids) if image in wanted]
    if not rows:
        return {}
    images = file.read_row_group(group, columns=["image"])["image"].take(pa.array(rows)).to_pylist()
    return {ids[row]: _data_uri(image) for row, image in zip(rows, images, strict=True)}


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
