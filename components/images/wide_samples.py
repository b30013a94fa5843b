"""Samples of more than 8 bits, floats and signed numbers to 8-bit ones: H×W or H×W×C in, the same as uint8 out.

What an image says of itself comes first: the range is the first of those in use that holds all its samples. Files
don't say how many of their bits are in use (12 of 16 in most cameras), so that is told from the brightest sample. A
picture that would come out nearly black or nearly white is stretched from its lowest sample to its highest. All of it
depends on the image alone.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_BITS = (8, 10, 12, 14, 16)
# Of floats: low, high. A little beyond is what resampling leaves, and is cut off.
_RANGES = ((0.0, 1.0), (-1.0, 1.0), *((0.0, float(2**bits - 1)) for bits in _BITS))
_BEYOND = 0.1  # of the high end
_NEARLY_BLACK, _NEARLY_WHITE = 15, 240


def to_eight_bits(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Return integers or floats as levels from 0 to 255.

    Integers in 0 … 65535 lose the lowest bits of the 8, 10, 12, 14 or 16 that their highest takes. Floats are scaled
    from 0 … 1, from -1 … 1, or from 0 … 255, 1023, 4095, 16383 or 65535. All others are stretched. NaN is black.

    Raises:
        ValueError: no sample is a finite number.
    """
    if samples.dtype.kind == "f":
        return _from_floats(samples.astype(np.float64))
    low, high = int(samples.min()), int(samples.max())
    bits = next((bits for bits in _BITS if low >= 0 and high < 1 << bits), None)
    if bits is None:
        return _scaled(samples.astype(np.float64), low, high)
    shown = (samples >> (bits - 8)).astype(np.uint8)
    return _scaled(samples.astype(np.float64), low, high) if low < high and _is_lost(shown) else shown


def is_dark(high_bytes: NDArray[np.uint8]) -> bool:
    """Return whether the high bytes of 16 bits may be those of samples that have fewer."""
    return int(high_bytes.max()) < 1 << _BITS[-2] - 8


def _from_floats(samples: NDArray[np.float64]) -> NDArray[np.uint8]:
    finite = samples[np.isfinite(samples)]
    if not finite.size:
        raise ValueError("no sample is a finite number")
    low, high = float(finite.min()), float(finite.max())
    samples = np.nan_to_num(samples, nan=low, posinf=high, neginf=low)
    for start, end in _RANGES:
        if start - _BEYOND * end <= low and high <= end + _BEYOND * end:
            shown = _scaled(samples, start, end)
            return _scaled(samples, low, high) if low < high and _is_lost(shown) else shown
    return _scaled(samples, low, high)


def _scaled(samples: NDArray[np.float64], low: float, high: float) -> NDArray[np.uint8]:
    if low == high:
        return np.zeros(samples.shape, np.uint8)
    # Halved, since the difference of the largest floats is none.
    levels = (samples / 2 - low / 2) * (255.0 / (high / 2 - low / 2))
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def _is_lost(shown: NDArray[np.uint8]) -> bool:
    return bool(shown.max() <= _NEARLY_BLACK or shown.min() >= _NEARLY_WHITE)
