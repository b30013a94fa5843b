"""Small pictures as data URIs, for pages that stand alone."""

import base64

import cv2

from components.images.codec import Pixels, encode

SIDE = 96  # pixels
_QUALITY = 80


def thumbnail(pixels: Pixels, side: int = SIDE, quality: int = _QUALITY) -> str:
    """Return a JPEG, at most `side` pixels a side."""
    scale = side / max(pixels.shape[:2])
    if scale < 1:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return "data:image/jpeg;base64," + base64.b64encode(encode(pixels, "jpeg", quality)).decode()
