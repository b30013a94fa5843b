"""Digests that tell whether two images are the same: to the byte, to the pixel, or to the eye."""

import hashlib
from collections.abc import Sequence

import imagehash
import numpy as np
from PIL import Image

from components.images.codec import Pixels

# Bits of 64 in which two near-duplicates may differ: re-encoded and slightly rescaled copies stay within 2 on photos,
# different photos of one class lie at 10 and more.
NEAR_DISTANCE = 2
# A picture with hardly any contrast has a hash made of noise: all blank images would look alike.
_LEAST_CONTRAST = 4.0
_BANDS = 4


def file_sha256(data: bytes) -> str:
    """Return the SHA-256 of a file's bytes, as hex."""
    return hashlib.sha256(data).hexdigest()


def pixels_sha256(pixels: Pixels) -> str:
    """Return the SHA-256 of pixels and shape, as hex: equal for the same picture in another lossless format.

    Grey stored as RGB equals the same grey stored in one channel.
    """
    if pixels.ndim == 3 and (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all():
        pixels = pixels[..., 0]
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def perceptual_hash(pixels: Pixels) -> int | None:
    """Return the 64-bit perceptual hash (DCT, `imagehash.phash`); None for a picture without contrast."""
    if float(pixels.std()) < _LEAST_CONTRAST:
        return None
    bits = imagehash.phash(Image.fromarray(pixels)).hash.ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def unsigned(phash: int | None) -> int | None:
    """Return a perceptual hash that is stored as a signed integer as `perceptual_hash` gave it."""
    return None if phash is None else phash & 0xFFFFFFFFFFFFFFFF


def near_duplicates(hashes: Sequence[int | None], distance: int = NEAR_DISTANCE) -> list[tuple[int, int]]:
    """Return pairs (i, j), i < j, that link all images whose hashes differ in at most `distance` bits.

    Images of one hash form a chain, and the first of them stands for all of them in pairs with other hashes: a picture
    that is there 20,000 times would make 200 million pairs. Hashes that differ in at most 3 bits agree in one of 4
    bands of 16 bits (pigeonhole), so only those that share a band are compared.

    Raises:
        ValueError: `distance` is not in 0 … 3.
    """
    if not 0 <= distance < _BANDS:
        raise ValueError(f"distance must be 0 … {_BANDS - 1}. Received: {distance}")
    pairs: set[tuple[int, int]] = set()
    first_of: dict[int, int] = {}
    last_of: dict[int, int] = {}
    for index, value in enumerate(hashes):
        if value is None:
            continue
        if first_of.setdefault(value, index) != index:
            pairs.add((last_of[value], index))
        last_of[value] = index
    known = np.fromiter(first_of.values(), np.int64)
    values = np.fromiter(first_of, np.uint64)
    for band in range(_BANDS):
        keys = (values >> np.uint64(16 * band)) & np.uint64(0xFFFF)
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.diff(keys[order], prepend=np.uint64(0x10000)))
        for members in np.split(order, starts[1:]):
            for at, first in enumerate(members[:-1]):
                others = members[at + 1 :]
                bits = np.unpackbits((values[others] ^ values[first])[:, None].view(np.uint8), axis=1).sum(axis=1)
                for second in others[bits <= distance]:
                    i, j = sorted((int(known[first]), int(known[second])))
                    pairs.add((i, j))
    return sorted(pairs)
