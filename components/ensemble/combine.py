"""Several exported models as one that answers with their average.

Each signature of the members is one of the whole but `explain`: an average of probabilities is no mean over places of
one image. What the members' outputs become in it:

    probabilities        the mean, which `label` and `score` follow from where the members have them
    true or false        true where all members say so
    other vectors        [N, D] of each member side by side: the members' features have nothing in common
    other floats         the mean

The members are taken as they are exported, each with its own decoding and temperature. Where an image can't be decoded,
each member says so, and so does the whole.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from components.formats.saved_model import loadable

EXPLAIN = "explain"
PROBABILITIES, LABEL, SCORE = "probabilities", "label", "score"
_VECTORS = 2  # dimensions
_Signature = Callable[..., dict[str, tf.Tensor]]


class Ensemble(tf.Module):
    """What is exported.

    Args:
        members: loaded SavedModels with the same signatures.
        labels: class names in id order.
    """

    def __init__(self, members: Sequence[Any], labels: Sequence[str]) -> None:
        super().__init__(name="ensemble")
        self.members = list(members)  # so that their variables are saved
        self._labels = tf.constant(list(labels))
        self.answers = {name: self._signature(name) for name in members[0].signatures if name != EXPLAIN}

    def _signature(self, name: str) -> Any:
        functions: list[_Signature] = [member.signatures[name] for member in self.members]
        taken: Mapping[str, tf.TensorSpec] = self.members[0].signatures[name].structured_input_signature[1]

        @tf.function(input_signature=[taken[key] for key in taken])
        def answer(*given: tf.Tensor) -> dict[str, tf.Tensor]:
            inputs = dict(zip(taken, given, strict=True))
            return self._combined([function(**inputs) for function in functions])

        return answer

    def _combined(self, answers: Sequence[Mapping[str, tf.Tensor]]) -> dict[str, tf.Tensor]:
        found = {
            key: _combine(key, [answer[key] for answer in answers]) for key in answers[0] if key not in (LABEL, SCORE)
        }
        if SCORE in answers[0]:
            mean = found[PROBABILITIES]
            usable = tf.reduce_all(tf.math.is_finite(mean), axis=1)
            found[LABEL] = tf.where(usable, tf.gather(self._labels, tf.argmax(mean, axis=1)), "")
            found[SCORE] = tf.where(usable, tf.reduce_max(mean, axis=1), float("nan"))
        return found


def _combine(name: str, values: list[tf.Tensor]) -> tf.Tensor:
    if values[0].dtype == tf.bool:
        return tf.reduce_all(tf.stack(values), axis=0)
    if values[0].shape.rank == _VECTORS and name != PROBABILITIES:
        return tf.concat(values, axis=1)
    return tf.reduce_mean(tf.stack(values), axis=0)


def combine(members: Sequence[Path], folder: Path, labels: Sequence[str]) -> None:
    """Write the SavedModel that answers with the members' average.

    Args:
        members: folders of SavedModels; all of them are in memory at once.
        folder: of the new one.
        labels: class names in id order.
    """
    loaded = []
    for member in members:
        with loadable(member) as path:
            loaded.append(tf.saved_model.load(path))
    module = Ensemble(loaded, labels)
    tf.saved_model.save(module, str(folder), signatures=module.answers)
