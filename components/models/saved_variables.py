"""The variables of a SavedModel, read from its checkpoint alone.

`tf.saved_model.load` runs a model's initializers, and what they do is up to whoever made it: they can write files.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from components.formats.saved_model import loadable

_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def read_variables(folder: Path, attribute: str) -> dict[str, NDArray[Any]] | None:
    """Return the variables in a dictionary that is an attribute of the exported object, by their keys.

    Args:
        folder: the SavedModel's.
        attribute: its name.

    Returns:
        The values; None where the object has no such attribute.

    Raises:
        ValueError: the variables can't be read.
    """
    with reading(folder) as reader:
        nodes = TrackableObjectGraph.FromString(reader.get_tensor(_GRAPH)).nodes
        found = _child(nodes[0], attribute)
        if found is None:
            return None
        keys = {child.local_name: _key(nodes[child.node_id]) for child in nodes[found].children}
        return {name: reader.get_tensor(key) for name, key in keys.items() if key is not None}


@contextmanager
def reading(folder: Path) -> Iterator[Any]:
    """Yield TensorFlow's reader of a SavedModel's variables.

    Raises:
        ValueError: they can't be read, in the block either.
    """
    try:
        with loadable(folder) as readable:
            yield tf.train.load_checkpoint(f"{readable}/variables/variables")
    except (tf.errors.OpError, ValueError, RuntimeError, IndexError, DecodeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"can't read the variables of the SavedModel {folder}, which is damaged: {reason}") from None


def _child(node: Any, name: str) -> int | None:
    found: int | None = next((child.node_id for child in node.children if child.local_name == name), None)
    return found


def _key(node: Any) -> str | None:
    found: str | None = next((one.checkpoint_key for one in node.attributes if one.checkpoint_key), None)
    return found
