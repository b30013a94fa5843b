"""Small pictures as data URIs, found in an ImageDataset by id."""

from collections.abc import Iterable
from pathlib import Path

from components.formats.dataset import SPLITS
from components.formats.found_images import find_images
from components.images.codec import BadImage, decode
from components.images.thumbnail import thumbnail


def thumbnails(dataset: Path, ids: Iterable[str], splits: Iterable[str] = SPLITS) -> dict[str, str]:
    """Return data URIs of the images with these ids, at most 96 pixels a side; ids that aren't there are left out."""
    return {name: _data_uri(image) for name, image in find_images(dataset, ids, splits)}


def _data_uri(data: bytes) -> str:
    try:
        return thumbnail(decode(data).pixels)
    except BadImage:  # a file that TensorFlow made something of, or it would have been quarantined
        return ""
