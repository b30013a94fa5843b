"""Histograms of oriented gradients (Dalal & Triggs, 2005) of small grey images, as OpenCV computes them. Pure.

Encoded bytes in, 900 float32 out: 48×48 grey pixels, whatever the image's size and colours; cells of 8×8 with 9
unsigned directions; blocks of 2×2 cells, a cell apart, each normalised by itself.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 48
_CELL, _BLOCK, _DIRECTIONS = (8, 8), (16, 16), 9
FEATURES = ((SIDE - _BLOCK[0]) // _CELL[0] + 1) ** 2 * (_BLOCK[0] // _CELL[0]) ** 2 * _DIRECTIONS
# A JPEG that is decoded at a fraction of its size takes a fraction of the time.
_REDUCED = {
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
}
_LARGER = 2  # times SIDE: what is left to average over when the image is made small


def small_grey(data: bytes, shortest: int) -> NDArray[np.uint8] | None:
    """Return the 48×48 grey pixels of an encoded image; None if OpenCV can't decode it.

    Args:
        data: JPEG, PNG or BMP, as a data set holds them.
        shortest: the shorter of the image's sides.
    """
    how = next((flag for by, flag in _REDUCED.items() if shortest >= by * _LARGER * SIDE), cv2.IMREAD_GRAYSCALE)
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    return None if pixels is None else cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def hog(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the [900] features of 48×48 grey pixels: from 0 to 1, all 0 where there is no edge."""
    descriptor = cv2.HOGDescriptor((SIDE, SIDE), _BLOCK, _CELL, _CELL, _DIRECTIONS)
    return np.asarray(descriptor.compute(pixels), np.float32).ravel()
