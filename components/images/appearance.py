"""What a picture looks like in two numbers, whatever it shows: how bright it is and how sharp. Pure.

Pictures are H×W (grey) or H×W×3 (RGB), uint8. Data sets and predictions hold these numbers, so that what is served can
be held against what a model was tested on.
"""

import cv2
import numpy as np

from components.images.codec import Pixels

# Of red, green and blue (ITU-R BT.601), as JPEG and Pillow have them.
_LUMA = np.array([0.299, 0.587, 0.114])


def brightness(pixels: Pixels) -> float:
    """Return the mean luma, 0–255."""
    means = np.array(cv2.mean(pixels))
    return float(np.float32(means[0] if pixels.ndim == 2 else _LUMA @ means[:3]))


def sharpness(pixels: Pixels, height: int, width: int) -> float:
    """Return the variance of the Laplacian of the luma (Pech-Pacheco et al. 2000, section 2), 0 for one colour.

    Args:
        pixels: the picture.
        height: pixels of a model's input; the picture is brought to this size first, as the model sees it no sharper,
            and pictures of different sizes compare.
        width: likewise.
    """
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if grey.shape != (height, width):
        shrinks = grey.shape[0] >= height and grey.shape[1] >= width
        grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    edges = cv2.Laplacian(grey, cv2.CV_16S)
    return float(np.float32(edges.var(dtype=np.float64)))
