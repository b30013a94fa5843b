"""What a model says and sees of images, as arrays: of those it was tested on, or those it is asked about now. Pure."""

import hashlib
from collections.abc import Sequence
from heapq import nsmallest
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Sample(NamedTuple):
    """N images.

    Attributes:
        ids: names.
        groups: [N] numbers; images that share one are not independent.
        predicted: [N] places of the predicted classes in the model's labels.
        score: [N] probabilities of these, 0–1.
        accepted: [N] whether the model was sure enough to answer; None where it can't say.
        brightness: [N] mean luma, 0–255.
        sharpness: [N] variance of the Laplacian at the model's input size.
        width: [N] pixels of the file's picture.
        height: [N] likewise.
        embeddings: [N, F] what the classifier sees, in half precision; None where nobody asked for it.
    """

    ids: list[str]
    groups: NDArray[np.int64]
    predicted: NDArray[np.int64]
    score: NDArray[np.float32]
    accepted: NDArray[np.bool_] | None
    brightness: NDArray[np.float32]
    sharpness: NDArray[np.float32]
    width: NDArray[np.int32]
    height: NDArray[np.int32]
    embeddings: NDArray[np.float16] | None


def draw(ids: Sequence[str], count: int, seed: int = 0) -> list[int]:
    """Return the places of so many names, or of all, sorted by name: the same in whatever order they come."""
    if len(ids) <= count:
        return sorted(range(len(ids)), key=ids.__getitem__)
    start = hashlib.sha256(f"{seed}\n".encode())

    def digest(place: int) -> bytes:
        own = start.copy()
        own.update(ids[place].encode("utf-8", "surrogateescape"))
        return own.digest()

    return sorted(nsmallest(count, range(len(ids)), key=digest), key=ids.__getitem__)


def numbered(keys: Sequence[str | None]) -> NDArray[np.int64]:
    """Return a number for each image's group: one for all with the same key, one of its own where there is none."""
    places: dict[tuple[str | None, int], int] = {}
    marks = [(key, -1 if key is not None else place) for place, key in enumerate(keys)]
    return np.array([places.setdefault(mark, len(places)) for mark in marks], np.int64)
