"""What TFX's Evaluator hands to TFMA in place of TFMA's own extractors.

TFX imports the function by its path, and loads the module again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow_model_analysis as tfma

from components.evaluator.comparison import BASELINE, CANDIDATE, FEATURE
from components.evaluator.handed_over import KEPT, SEEN, SLICED
from components.evaluator.slice_plan import Column
from components.formats.examples import AUGMENTED, GROUP, ID, LABEL, METADATA

_KEPT = pa.schema(
    [
        ("id", pa.string()),
        ("label", pa.int64()),
        ("group", pa.string()),
        ("augmented", pa.bool_()),
        ("slices", pa.list_(pa.string())),  # by column that is sliced by, in the plan's order
        ("probabilities", pa.list_(pa.float32())),
        ("baseline", pa.list_(pa.float32())),  # what the other model says; null where there is none
    ]
)


def custom_extractors(eval_shared_model: Any, eval_config: Any, tensor_adapter_config: Any) -> list[Any]:
    """Return TFMA's extractors, and our own among them.

    One writes the predictions. One adds `FEATURE` to each example: 0 where its group is in `SEEN`, else 1. One puts, in
    the place of metadata, the names of the slices that they come to.
    """
    extractors = tfma.default_extractors(
        eval_shared_model=eval_shared_model,
        eval_config=eval_config,
        tensor_adapter_config=tensor_adapter_config,
    )
    if (seen := SEEN.get()) is not None:
        # Right behind the one that parses the examples, whose features the others pass on.
        extractors.insert(1, tfma.extractors.Extractor("MarkNew", beam.Map(_mark, seen)))
    columns = SLICED.get()
    if columns:
        extractors.insert(1, tfma.extractors.Extractor("NameSlices", beam.Map(_name_slices, columns)))
    # Last, where the examples are no longer in batches.
    extractors.append(tfma.extractors.Extractor("KeepPredictions", _Keep(KEPT.get(), columns)))
    return list(extractors)


def _mark(extracts: dict[str, Any], seen: frozenset[str]) -> dict[str, Any]:
    features = extracts[tfma.FEATURES_KEY]
    groups = np.asarray(features[GROUP])
    marks = np.array([group.decode() not in seen for group in groups.ravel()], np.int64).reshape(groups.shape)
    return {**extracts, tfma.FEATURES_KEY: {**features, FEATURE: marks}}


def _name_slices(extracts: dict[str, Any], columns: Sequence[Column]) -> dict[str, Any]:
    features = dict(extracts[tfma.FEATURES_KEY])
    for column in columns:
        values = np.asarray(features[METADATA + column.name])
        names = np.array([column.slice_of(value.decode()).encode() for value in values.ravel()], object)
        features[METADATA + column.name] = names.reshape(values.shape)
    return {**extracts, tfma.FEATURES_KEY: features}


class _Keep(beam.PTransform):  # type: ignore[misc]
    """Passes on what it gets, and writes what is known of each example, and what the models say, beside it."""

    def __init__(self, path: str, columns: Sequence[Column]) -> None:
        super().__init__()
        self._path = path
        self._sliced = [METADATA + column.name for column in columns]

    def expand(self, pcoll: Any) -> Any:
        """Branch off the rows."""
        rows = pcoll | "Rows" >> beam.Map(_row, self._sliced)
        _ = rows | beam.io.WriteToParquet(self._path, _KEPT, num_shards=1, shard_name_template="")
        return pcoll


def _row(extracts: Mapping[str, Any], sliced: Sequence[str]) -> dict[str, Any]:
    features, predictions = extracts[tfma.FEATURES_KEY], extracts[tfma.PREDICTIONS_KEY]
    two = isinstance(predictions, Mapping) and CANDIDATE in predictions  # by model, where there are two
    return {
        "id": np.asarray(features[ID]).item().decode(),
        "label": int(np.asarray(features[LABEL]).item()),
        "group": np.asarray(features[GROUP]).item().decode(),
        "augmented": bool(np.asarray(features[AUGMENTED]).item()),
        "slices": [np.asarray(features[name]).item().decode() for name in sliced],
        "probabilities": _probabilities(predictions[CANDIDATE] if two else predictions),
        "baseline": _probabilities(predictions[BASELINE]) if two else None,
    }


def _probabilities(predictions: Any) -> list[float]:
    """Return a model's answer, which is by output where it has several."""
    if isinstance(predictions, Mapping):
        predictions = predictions["probabilities"]
    values: list[float] = np.asarray(predictions, np.float32).ravel().tolist()
    return values
