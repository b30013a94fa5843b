"""Ask an exported model what it says and sees of pictures, and measure these: encoded bytes in, numbers out."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.formats.drift_sample import Sample
from components.formats.saved_model import loadable
from components.images.appearance import brightness, sharpness
from components.images.codec import Pixels

BATCH = 64


class NoPictureError(ValueError):
    """There is no picture that the model can decode."""


class Measured(NamedTuple):
    """A picture that a model can be asked about.

    Attributes:
        id: its name.
        encoded: bytes that TensorFlow decodes to it.
        brightness: mean luma, 0–255.
        sharpness: at the model's input size.
        width: pixels.
        height: pixels.
    """

    id: str
    encoded: bytes
    brightness: float
    sharpness: float
    width: int
    height: int


def measure(name: str, encoded: bytes, pixels: Pixels, height: int, width: int) -> Measured:
    """Return what a model is asked about.

    Args:
        name: of the picture.
        encoded: bytes that TensorFlow decodes to these pixels.
        pixels: the picture.
        height: pixels of the model's input.
        width: likewise.
    """
    rows, columns = pixels.shape[:2]
    return Measured(name, encoded, brightness(pixels), sharpness(pixels, height, width), columns, rows)


def look(model: Path, pictures: Iterable[Measured]) -> tuple[Sample, list[str]]:
    """Return what a model says and sees of pictures, each a group of its own, and the names of those it can't decode.

    Args:
        model: the SavedModel's folder.
        pictures: a batch of them is in memory at a time.

    Raises:
        NoPictureError: none is left.
    """
    with loadable(model) as path:
        loaded = tf.saved_model.load(path)
    waiting = iter(pictures)
    rows: list[Measured] = []
    answers: list[tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]] = []
    undecodable: list[str] = []
    while batch := list(islice(waiting, BATCH)):
        probabilities, accepted, features = _ask(loaded, [one.encoded for one in batch])
        usable = np.isfinite(probabilities).all(axis=1)
        undecodable += [one.id for one, good in zip(batch, usable, strict=True) if not good]
        rows += [one._replace(encoded=b"") for one, good in zip(batch, usable, strict=True) if good]
        answers.append((probabilities[usable], accepted[usable], features[usable]))
    if not rows:
        raise NoPictureError("there is no picture that the model can decode")
    probabilities, accepted, features = (np.concatenate(parts) for parts in zip(*answers, strict=True))
    sample = Sample(
        ids=[one.id for one in rows],
        groups=np.arange(len(rows)),
        predicted=probabilities.argmax(axis=1),
        score=probabilities.max(axis=1),
        accepted=accepted,
        brightness=np.array([one.brightness for one in rows], np.float32),
        sharpness=np.array([one.sharpness for one in rows], np.float32),
        width=np.array([one.width for one in rows], np.int32),
        height=np.array([one.height for one in rows], np.int32),
        embeddings=features.astype(np.float16),
    )
    return sample, undecodable


def _ask(model: tf.Module, images: list[bytes]) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]:
    encoded = tf.constant(images, tf.string)
    answer = model.signatures["serving_default"](image_bytes=encoded)
    features = model.signatures["embed"](image_bytes=encoded)["features"]
    return answer["probabilities"].numpy(), answer["accepted"].numpy(), features.numpy()
