"""What the service asks of a model, whatever it is made of, and what it makes of an uploaded file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from components.images.codec import BadImage, Picture, decode
from components.images.room import Room


class Answer(NamedTuple):
    """What a model says of an image.

    Attributes:
        probabilities: in the order of the model's labels; NaN if it can't decode the image.
        accepted: whether the model is sure enough for the precision that it promises.
    """

    probabilities: Sequence[float]
    accepted: bool


class Model(Protocol):
    """A classifier that is loaded.

    Attributes:
        labels: class names in the order of their ids.
    """

    @property
    def labels(self) -> Sequence[str]:
        """Class names in the order of their ids."""

    def prepare(self, data: bytes, picture: Picture) -> Any:
        """Return what `answer` takes for a file and the picture in it; called by several threads at once."""

    def answer(self, images: Sequence[Any]) -> list[Answer]:
        """Return an answer for each image, in one pass; called by one thread at a time."""


# From a version's folder to the model in it; raises whatever is wrong with the files.
Loader = Callable[[Path], Model]


class Loaded(NamedTuple):
    """The model that answers, and as which version it was pushed."""

    version: int
    model: Model


def prepared(model: Model, data: bytes, max_pixels: int) -> Any:
    """Return what a model takes for an uploaded file, which is read as ingest reads the files of a data set.

    Raises:
        BadImage: ingest would have put the file into quarantine, for the reason in the message.
    """
    with Room() as room:
        return model.prepare(data, decode(data, max_pixels, room.take))


def best(labels: Sequence[str], answer: Answer) -> tuple[str, float]:
    """Return the label with the highest probability, the first of equals, and that probability.

    Raises:
        BadImage: the model couldn't decode the image.
    """
    score, place = max((p, -number) for number, p in enumerate(answer.probabilities))
    if score != score:
        raise BadImage("the model can't decode it")
    return labels[-place], score
