"""The model in a worker: a SavedModel by its path or URI, asked by its signatures."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.formats.examples import LABEL_MAP, read_labels
from components.formats.pushed_models import file_system
from components.formats.saved_model import ASSETS, loadable, model_digest
from components.formats.version import NewerFormatError
from components.tools.retries import reason, with_retries

_SIGNATURE, _EMBED = "serving_default", "embed"
_DIMENSIONS = 4  # of a batch of images


class Answers(NamedTuple):
    """What a model says of N images.

    Attributes:
        probabilities: [N, C], NaN where an image couldn't be decoded.
        accepted: [N] whether the score is enough to answer; None where the model has no such output.
        embeddings: [N, F], or None where they weren't asked for.
    """

    probabilities: NDArray[np.float32]
    accepted: NDArray[np.bool_] | None
    embeddings: NDArray[np.float32] | None


class ModelError(ValueError):
    """A model can't be loaded; the message says what to do."""


class ServedModel:
    """A loaded model.

    Attributes:
        labels: class names in the order of the probabilities.
        height: pixels of the network's input.
        width: likewise.

    Args:
        folder: of the SavedModel, on this machine.
        name: what messages call it, where its folder is a copy's.

    Raises:
        ModelError: its files are damaged or incomplete.
        ValueError: it wasn't exported by this pipeline.
    """

    def __init__(self, folder: Path, name: str = "") -> None:
        name = name or str(folder)
        with loadable(folder) as path:
            try:
                self._model = tf.saved_model.load(path)
            except Exception as error:  # damage surfaces as errors of a dozen kinds
                raise _damaged(name, error) from None
        self.labels = read_labels(folder / ASSETS)
        if _SIGNATURE not in self._model.signatures:
            raise ValueError(f"the model has no signature {_SIGNATURE}. Received: {name}")
        self.height, self.width = _input_size(self._model.signatures[_SIGNATURE].graph)

    def can_embed(self) -> bool:
        """Return whether it can be asked for embeddings; one of an earlier version can't."""
        return _EMBED in self._model.signatures

    def answer(self, images: Sequence[bytes], *, embed: bool) -> Answers:
        """Classify encoded images."""
        encoded = tf.constant(list(images), tf.string)
        found = self._model.signatures[_SIGNATURE](image_bytes=encoded)
        accepted = found.get("accepted")  # which models of earlier versions don't have
        features = self._model.signatures[_EMBED](image_bytes=encoded)["features"].numpy() if embed else None
        return Answers(found["probabilities"].numpy(), None if accepted is None else accepted.numpy(), features)


@contextmanager
def on_this_machine(model: str) -> Iterator[Path]:
    """Yield the folder of a SavedModel, or, of one in an object store, that of a copy, which goes behind the block."""
    if "://" not in model:
        yield Path(model)
        return
    with tempfile.TemporaryDirectory() as place:
        store, root = file_system(model)
        for path in with_retries(partial(store.find, root)):
            copy = Path(place, path[len(root) :].lstrip("/"))
            copy.parent.mkdir(parents=True, exist_ok=True)
            with_retries(partial(store.get_file, path, str(copy)))
        yield Path(place)


class About(NamedTuple):
    """What is known of a model without loading it.

    Attributes:
        labels: class names in the order of the probabilities.
        digest: of the model.
    """

    labels: list[str]
    digest: str


def describe(model: str) -> About:
    """Read what is written about a model.

    Raises:
        ModelError: there is no model, or none of this pipeline's.
        NewerFormatError: a later version exported it.
    """
    with on_this_machine(model) as folder:
        try:
            labels = read_labels(folder / ASSETS)
        except FileNotFoundError:
            place = f"{ASSETS}/{LABEL_MAP.name}"
            raise ModelError(f"the model {model} has no {place}: take one that this pipeline exported") from None
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, NewerFormatError):
                raise
            raise _damaged(model, error) from None
        return About(labels, model_digest(folder))


def _damaged(model: str, error: Exception) -> ModelError:
    return ModelError(
        f"the model {model} can't be loaded: its files are damaged or incomplete: copy it again, or take another "
        f"version ({reason(error)})"
    )


def _input_size(graph: Any) -> tuple[int, int]:
    """Return height and width of what the network is given: the graph declares them of the decoded batch."""
    definition = graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    shapes = (node.attr["shape"].shape.dim for node in nodes if node.op == "EnsureShape")
    sizes = {(dims[1].size, dims[2].size) for dims in shapes if len(dims) == _DIMENSIONS}
    if len(sizes) != 1:
        raise ValueError("the model doesn't say what size its images have: train and push it with this release")
    return sizes.pop()
