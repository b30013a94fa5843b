"""Pixels of a data set's images, and small pictures of them for the page."""

from functools import partial

from components.images.codec import Pixels, decode
from components.images.thumbnail import thumbnail

_ANY = 2**63 - 1  # what is in a data set was small enough to get there

beside = partial(thumbnail, side=72, quality=75)
"""A picture that stands beside others: at most 72 pixels a side, about 2 KB."""


def pixels_of(image: bytes) -> Pixels:
    """Return the pixels of an encoded image of a data set."""
    return decode(image, _ANY).pixels
