"""From one file's bytes to one row of the data set, or the reason why it can't be one. Pure."""

from dataclasses import dataclass

import numpy as np

from components.formats.dataset import ImageRow
from components.images.codec import BadImage, Picture, decode, for_tensorflow
from components.images.hashing import file_sha256, perceptual_hash, pixels_sha256
from components.images.room import Room
from components.ingest.layout import Entry


@dataclass(frozen=True)
class Quarantined:
    """A file that can't be used.

    Attributes:
        id: path relative to the data folder.
        label: class it would have had, "" if none.
        reason: why, in a few words.
    """

    id: str
    label: str
    reason: str


def inspect_image(entry: Entry, data: bytes, max_pixels: int) -> ImageRow | Quarantined:
    """decode, hash and, where TensorFlow couldn't show the same picture, encode again.

    Of copies it knows nothing: the row is an original's.
    """
    with Room() as room:
        try:
            picture = decode(data, max_pixels, room.take)
        except BadImage as error:
            return Quarantined(entry.id, entry.label, str(error))
        return _row(entry, data, picture)


def _row(entry: Entry, data: bytes, picture: Picture) -> ImageRow:
    image, image_format = for_tensorflow(data, picture)
    pixels = picture.pixels
    digest = pixels_sha256(pixels)
    unsigned = perceptual_hash(pixels)
    return ImageRow(
        id=entry.id,
        label=entry.label,
        split=entry.split,
        image=image,
        format=image_format,
        height=pixels.shape[0],
        width=pixels.shape[1],
        channels=1 if pixels.ndim == 2 else 3,
        sha256=file_sha256(data),
        pixels=digest,
        phash=None if unsigned is None else int(np.uint64(unsigned).astype(np.int64)),
        brightness=float(np.float32(pixels.mean())),
        group=entry.id,
        source_id=entry.id,
        copy=0,
        filename=entry.id.rsplit("/", 1)[-1],
    )
