"""What TFX's Evaluator hands to TFMA in place of TFMA's own extractors.

TFX imports the function by its path, and loads the module again.
"""

from collections.abc import Mapping
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow_model_analysis as tfma

from components.evaluator.comparison import BASELINE, CANDIDATE, FEATURE
from components.evaluator.handed_over import KEPT, SEEN
from components.formats.examples import AUGMENTED, GROUP, ID, LABEL

_KEPT = pa.schema(
    [
        ("id", pa.string()),
        ("label", pa.int64()),
        ("group", pa.string()),
        ("augmented", pa.bool_()),
        ("probabilities", pa.list_(pa.float32())),
        ("baseline", pa.list_(pa.float32())),  # what the other model says; null where there is none
    ]
)


def custom_extractors(eval_shared_model: Any, eval_config: Any, tensor_adapter_config: Any) -> list[Any]:
    """Return TFMA's extractors, one that writes the predictions, and one that marks what is new to both.

    The last adds `FEATURE` to each example: 0 where its group is in `SEEN`, else 1.
    """
    extractors = tfma.default_extractors(
        eval_shared_model=eval_shared_model,
        eval_config=eval_config,
        tensor_adapter_config=tensor_adapter_config,
    )
    if (seen := SEEN.get()) is not None:
        # Right behind the one that parses the examples, whose features the others pass on.
        extractors.insert(1, tfma.extractors.Extractor("MarkNew", beam.Map(_mark, seen)))
    # Last, where the examples are no longer in batches.
    extractors.append(tfma.extractors.Extractor("KeepPredictions", _Keep(KEPT.get())))
    return list(extractors)


def _mark(extracts: dict[str, Any], seen: frozenset[str]) -> dict[str, Any]:
    features = extracts[tfma.FEATURES_KEY]
    groups = np.asarray(features[GROUP])
    marks = np.array([group.decode() not in seen for group in groups.ravel()], np.int64).reshape(groups.shape)
    return {**extracts, tfma.FEATURES_KEY: {**features, FEATURE: marks}}


class _Keep(beam.PTransform):  # type: ignore[misc]
    """Passes on what it gets, and writes what is known of each example, and what the models say, beside it."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def expand(self, pcoll: Any) -> Any:
        """Branch off the rows."""
        rows = pcoll | "Rows" >> beam.Map(_row)
        _ = rows | beam.io.WriteToParquet(self._path, _KEPT, num_shards=1, shard_name_template="")
        return pcoll


def _row(extracts: Mapping[str, Any]) -> dict[str, Any]:
    features, predictions = extracts[tfma.FEATURES_KEY], extracts[tfma.PREDICTIONS_KEY]
    two = isinstance(predictions, Mapping) and CANDIDATE in predictions  # by model, where there are two
    return {
        "id": np.asarray(features[ID]).item().decode(),
        "label": int(np.asarray(features[LABEL]).item()),
        "group": np.asarray(features[GROUP]).item().decode(),
        "augmented": bool(np.asarray(features[AUGMENTED]).item()),
        "probabilities": _probabilities(predictions[CANDIDATE] if two else predictions),
        "baseline": _probabilities(predictions[BASELINE]) if two else None,
    }


def _probabilities(predictions: Any) -> list[float]:
    """Return a model's answer, which is by output where it has several."""
    if isinstance(predictions, Mapping):
        predictions = predictions["probabilities"]
    values: list[float] = np.asarray(predictions, np.float32).ravel().tolist()
    return values
