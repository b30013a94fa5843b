"""Asks an exported model for features and activation maps: encoded bytes in, numbers out."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.formats.saved_model import loadable

BATCH = 64
_AT_ONCE = 2  # batches: one is decoded while the network works on the other


class Maps(NamedTuple):
    """What in an image speaks for each class, as the signature `explain` says it.

    Attributes:
        maps: [V, h, w, C].
        rows: [h], 0 at the upper edge, 1 at the lower.
        columns: [V, w], from the left edge to the right.
    """

    maps: NDArray[np.float32]
    rows: NDArray[np.float32]
    columns: NDArray[np.float32]


class ServedModel:
    """An exported model.

    Args:
        folder: of the SavedModel.

    Raises:
        ValueError: it was exported before there were the signatures that are asked for here.
    """

    def __init__(self, folder: Path) -> None:
        with loadable(folder) as path:
            self._model = tf.saved_model.load(path)
        if missing := [name for name in ("embed", "explain") if name not in self._model.signatures]:
            raise ValueError(
                f"the model in {folder} has no signature {' and '.join(missing)}: an earlier version exported it. "
                "Train it again, or set explain.enabled=false"
            )

    def embed(self, images: Iterable[bytes]) -> Iterator[NDArray[np.float32]]:
        """Yield [n, F] features of one batch after the other; NaN where an image can't be decoded.

        A few batches of images are in memory at a time.
        """

        def features(batch: list[bytes]) -> NDArray[np.float32]:
            answer = self._model.signatures["embed"](image_bytes=tf.constant(batch, tf.string))
            return np.asarray(answer["features"].numpy())

        left = iter(images)
        asked: deque[Future[NDArray[np.float32]]] = deque()
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="embed") as pool:
            while batch := list(islice(left, BATCH)):
                asked.append(pool.submit(features, batch))
                if len(asked) > _AT_ONCE:
                    yield asked.popleft().result()
            while asked:
                yield asked.popleft().result()

    def explain(self, image: bytes) -> Maps:
        """Return the activation maps of one image; NaN where it can't be decoded."""
        found = self._model.signatures["explain"](image_bytes=tf.constant([image], tf.string))
        return Maps(*(found[name].numpy()[0] for name in Maps._fields))
