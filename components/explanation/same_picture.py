"""How much two pictures look like versions of one: encoded again, brightened, scaled, cropped a little, or mirrored.

Shading is taken away first: photographs in one light before one wall would all look alike.

Pictures are compared small: H×W or H×W×3 uint8 in, 64×64 grey levels; of two of these, a correlation of -1 … 1.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from components.images.codec import Pixels

_SIDE = 64  # pixels at which pictures are compared
_SHADING = 12.0  # of these pixels: the blur that is taken for shading
_LEAST_CONTRAST = 0.5  # grey levels; what has less is noise
_MIDDLE = 0.8  # of a side: a border of a tenth may have been cropped away
_SCALES = (0.9, 0.95, 1.0, 1.05, 1.1)


def small(pixels: Pixels) -> Pixels:
    """Return a picture in grey, 64×64: 4 KB."""
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA))


def likeness(first: Pixels, second: Pixels) -> float:
    """Return the best correlation of the middle of one with a part of the other, at scales of 0.9 to 1.1.

    Args:
        first: of `small`.
        second: likewise.
    """
    one, two = _without_shading(first), _without_shading(second)
    ways = ((one, two), (two, one), (one, two[:, ::-1]), (two, one[:, ::-1]))
    return max(_found(picture, np.ascontiguousarray(within)) for picture, within in ways)


def _without_shading(picture: Pixels) -> NDArray[np.float32]:
    levels = picture.astype(np.float32)
    return np.asarray(levels - cv2.GaussianBlur(levels, (0, 0), _SHADING))


def _found(picture: NDArray[np.float32], within: NDArray[np.float32]) -> float:
    border = round(_SIDE * (1 - _MIDDLE) / 2)
    middle = picture[border:-border, border:-border]
    best = -1.0
    for scale in _SCALES:
        side = round(middle.shape[0] * scale)
        part = cv2.resize(middle, (side, side), interpolation=cv2.INTER_LINEAR)
        if part.std() > _LEAST_CONTRAST and side <= _SIDE:
            best = max(best, float(cv2.matchTemplate(within, part, cv2.TM_CCOEFF_NORMED).max()))
    return best
