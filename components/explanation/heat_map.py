"""Heat maps over pictures: H×W or H×W×3 uint8 and activation maps in, H×W×3 uint8 RGB out.

A model's answer doesn't change when one number is added to all classes' maps, so a map says something only beside the
others: evidence for a class is its map less the mean of all classes' maps. Orange speaks for the class, blue against.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.images.codec import Pixels

FOR, AGAINST = (230, 97, 1), (33, 102, 172)  # told apart by those who can't tell red from green, too
_STRONGEST = 0.75  # of the picture that a colour covers at most
_CONTRAST = 2  # half the evidence covers a quarter as much: a few cells tell apart what one colour over all would hide

Floats = NDArray[np.floating]


def evidence(maps: Floats) -> Floats:
    """Return [V, h, w, C] evidence for each class over the others from [V, h, w, C] maps."""
    return maps - maps.mean(axis=-1, keepdims=True)


def spread(values: Floats, rows: Floats, columns: Floats, size: tuple[int, int]) -> Floats:
    """Return H×W values at pixels from values at a few places: linear between these, constant beyond, mean of views.

    Args:
        values: [V, h, w].
        rows: [h] places, where 0 is the upper edge and 1 the lower.
        columns: [V, w], from the left edge to the right.
        size: H and W.
    """
    down = _weights(rows, size[0])
    across = [down @ view @ _weights(places, size[1]).T for view, places in zip(values, columns, strict=True)]
    return np.mean(across, axis=0)


def _weights(places: Floats, length: int) -> Floats:
    """Return length×n weights of values at n places for each pixel."""
    pixels = (np.arange(length) + 0.5) / length
    return np.stack([np.interp(pixels, places, one) for one in np.eye(len(places))], axis=1)


def painted(picture: Pixels, heat: Floats, strongest: float) -> Pixels:
    """Return a picture in grey with the heat over it.

    Args:
        picture: H×W or H×W×3.
        heat: H×W, above 0 for, below 0 against.
        strongest: what is painted with the full colour; pictures that are compared share it.
    """
    grey = picture if picture.ndim == 2 else picture @ np.array([0.299, 0.587, 0.114])
    cover = _STRONGEST * np.clip(np.abs(heat) / max(strongest, 1e-12), 0.0, 1.0)[..., np.newaxis] ** _CONTRAST
    colour = np.where(heat[..., np.newaxis] > 0, np.array(FOR), np.array(AGAINST))
    return np.round((1.0 - cover) * grey[..., np.newaxis] + cover * colour).astype(np.uint8)


def heat_maps(picture: Pixels, maps: Floats, rows: Floats, columns: Floats, classes: Sequence[int]) -> list[Pixels]:
    """Return a picture with the evidence for each of some classes over it, on one scale.

    Args:
        picture: H×W or H×W×3; the whole image that the model was given, of any size.
        maps: [V, h, w, C], as the signature `explain` returns them for an image.
        rows: [h], likewise.
        columns: [V, w], likewise.
        classes: which of C.
    """
    found = evidence(maps.astype(np.float64))
    size = (picture.shape[0], picture.shape[1])
    heats = [spread(found[..., index], rows, columns, size) for index in classes]
    strongest = max((float(np.abs(heat).max()) for heat in heats), default=0.0)
    return [painted(picture, heat, strongest) for heat in heats]
