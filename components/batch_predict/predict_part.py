"""One part of the images: read, decode, ask the model, and return what makes a shard. Pure, but for the reading.

The model is asked for batches of one size, which begin with the part: who else works on what, and how many they are,
changes no bit of the answers.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from components.batch_predict.parts import Given, Part
from components.batch_predict.served_model import ServedModel
from components.formats.served_predictions import QUARANTINE_SCHEMA, SCHEMA
from components.images.appearance import brightness, sharpness
from components.images.codec import BadImage, decode, for_tensorflow
from components.images.reading import image_bytes
from components.images.room import Room
from components.tools.retries import reason

_AHEAD = 2  # batches that are read while the model works
UNDECODABLE = "the model can't decode it"


@dataclass(frozen=True)
class Asked:
    """What is asked for; the same of the same model and images gives the same shards.

    Attributes:
        batch_size: images that the model is given at once.
        max_pixels: images with more are not decoded.
        embeddings: whether embeddings are written.
    """

    batch_size: int
    max_pixels: int
    embeddings: bool


class Prepared(NamedTuple):
    """An image on its way to the model.

    Attributes:
        data: bytes that TensorFlow decodes to the picture.
        facts: columns of the predictions that the model doesn't know of.
    """

    data: bytes
    facts: dict[str, Any]


@dataclass
class Shard:
    """What becomes of a part.

    Attributes:
        predictions: values by column of `SCHEMA`.
        quarantine: values by column of `QUARANTINE_SCHEMA`.
    """

    predictions: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in SCHEMA.names})
    quarantine: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in QUARANTINE_SCHEMA.names})

    def refuse(self, image: str, why: str) -> None:
        """Add an image that can't be used."""
        self.quarantine["id"].append(image)
        self.quarantine["reason"].append(why)

    def add(self, **values: Any) -> None:
        """Add a prediction."""
        for name, column in self.predictions.items():
            column.append(values[name])


def predict_part(part: Part, model: ServedModel, asked: Asked) -> Shard:
    """Return what the model says of a part's images.

    Raises:
        ValueError: the file that holds them is damaged.
    """
    shard = Shard()
    for name, why in part.unusable:
        shard.refuse(name, why)
    waiting: list[Prepared] = []
    for name, image in _prepared(part, model, asked):
        if isinstance(image, str):
            shard.refuse(name, image)
            continue
        waiting.append(image)
        if len(waiting) == asked.batch_size:
            _answer(waiting, model, asked, shard)
            waiting = []
    if waiting:
        _answer(waiting, model, asked, shard)
    return shard


def _prepared(part: Part, model: ServedModel, asked: Asked) -> Iterator[tuple[str, Prepared | str]]:
    """Yield each image's name, and the image or why it can't be used, in order; threads read ahead."""
    left = part.images()
    ahead: deque[tuple[str, Future[Prepared | str]]] = deque()
    with ThreadPoolExecutor(thread_name_prefix="read") as pool:
        while True:
            for given in islice(left, _AHEAD * asked.batch_size - len(ahead)):
                ahead.append((given.id, pool.submit(prepare, given, model, asked)))
            if not ahead:
                return
            name, image = ahead.popleft()
            yield name, image.result()


def prepare(given: Given, model: ServedModel, asked: Asked) -> Prepared | str:
    """Read and decode an image by ingest's rules, and measure it; return why it can't be used where that is so."""
    with Room() as room:
        try:
            data = image_bytes(given.pieces(), asked.max_pixels)
            picture = decode(data, asked.max_pixels, room.take)
        except BadImage as error:
            return str(error)
        except OSError as error:
            return error.strerror or reason(error)
        except ValueError as error:  # a table's path that can be none
            return reason(error)
        pixels = picture.pixels
        facts = {
            "id": given.id,
            "brightness": brightness(pixels),
            "sharpness": sharpness(pixels, model.height, model.width),
            "width": pixels.shape[1],
            "height": pixels.shape[0],
        }
        return Prepared(for_tensorflow(data, picture)[0], facts)


def _answer(images: list[Prepared], model: ServedModel, asked: Asked, shard: Shard) -> None:
    answers = model.answer([image.data for image in images], embed=asked.embeddings)
    for index, image in enumerate(images):
        probabilities = answers.probabilities[index]
        if np.isnan(probabilities).any():
            shard.refuse(image.facts["id"], UNDECODABLE)
            continue
        best = int(probabilities.argmax())
        shard.add(
            **image.facts,
            label=model.labels[best],
            score=float(probabilities[best]),
            probabilities=probabilities,
            accepted=None if answers.accepted is None else bool(answers.accepted[index]),
            embedding=None if answers.embeddings is None else answers.embeddings[index],
        )
