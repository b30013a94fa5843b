"""From an image that Pillow has loaded to the pixels that are shown: H×W or H×W×3 uint8."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, TiffImagePlugin

from components.images.wide_samples import is_dark, to_eight_bits

_WIDE_BITS = 16


def grey_or_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Return the pixels of a loaded image, with transparency on white and samples of more than 8 bits brought to 8.

    Raises:
        ValueError: its samples can't be shown.
    """
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        return np.ascontiguousarray(to_eight_bits(_samples(image)))
    if mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB") or image
    elif "transparency" in image.info or mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    elif mode == "1":
        image = image.convert("L")
    elif mode not in ("L", "RGB"):
        image = image.convert("RGB")
    return np.ascontiguousarray(np.asarray(image, dtype=np.uint8))


def brightened(image: Image.Image, data: bytes) -> Image.Image:
    """Return an image whose colours have 16 bits, of which Pillow keeps the high 8, as it is with those in use.

    Only one that is dark is read again, with all its bits.

    Args:
        image: as Pillow loaded it.
        data: the file's bytes.
    """
    bands = image.mode.rstrip("Aa").rstrip("X")
    if bands not in ("L", "RGB") or not is_dark(np.asarray(image)[..., : len(bands)]):
        return image
    samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.dtype != np.uint16 or samples.shape[1::-1] != image.size or samples.ndim != 3:
        return image
    colours = to_eight_bits(samples[..., 2::-1])
    if samples.shape[2] == 4:
        # Opaque is what the alpha's own highest is, be it of 12 bits or of 16.
        alpha = to_eight_bits(samples[..., 3:])
        return Image.fromarray(np.concatenate([colours, alpha], axis=2), "RGBA")
    return Image.fromarray(np.ascontiguousarray(colours))


def has_wide_colours(image: Image.Image) -> bool:
    """Return whether a TIFF has colours of 16 bits."""
    tags: Any = getattr(image, "tag_v2", {})
    return len(image.getbands()) > 1 and max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (0,))) == _WIDE_BITS


def turned(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Return pixels upright, by EXIF's number for how they lie: 1 to 8, others as 1."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _samples(image: Image.Image) -> NDArray[Any]:
    samples = np.asarray(image)
    tags: Any = getattr(image, "tag_v2", {})
    unsigned = tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))[0] == 1 and tags.get(TiffImagePlugin.BITSPERSAMPLE) == (32,)
    # Pillow has no mode for 32 bits without a sign.
    return samples.view(np.uint32) if unsigned and samples.dtype == np.int32 else samples
