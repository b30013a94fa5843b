"""What TFX's Evaluator hands to TFMA in place of TFMA's own extractors.

TFX imports the function by its path, and loads the module again.
"""

from collections.abc import Mapping
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow_model_analysis as tfma

from components.evaluator.comparison import CANDIDATE, FEATURE
from components.evaluator.handed_over import KEPT, SEEN
from components.formats.examples import GROUP, ID

_KEPT = pa.schema([("id", pa.string()), ("probabilities", pa.list_(pa.float32()))])


def custom_extractors(eval_shared_model: Any, eval_config: Any, tensor_adapter_config: Any) -> list[Any]:
    """Return TFMA's extractors, one that writes the candidate's predictions, and one that marks what is new to both.

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
    """Passes on what it gets, and writes id and probabilities of each example beside it."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def expand(self, pcoll: Any) -> Any:
        """Branch off the rows."""
        rows = pcoll | "Rows" >> beam.Map(_row)
        _ = rows | beam.io.WriteToParquet(self._path, _KEPT, num_shards=1, shard_name_template="")
        return pcoll


def _row(extracts: Mapping[str, Any]) -> dict[str, Any]:
    predictions = extracts[tfma.PREDICTIONS_KEY]
    for key in (CANDIDATE, "probabilities"):  # by model where there are two, by output where there are several
        predictions = predictions[key] if isinstance(predictions, Mapping) and key in predictions else predictions
    probabilities = np.asarray(predictions, np.float32).ravel()
    return {"id": np.asarray(extracts[tfma.FEATURES_KEY][ID]).item().decode(), "probabilities": probabilities.tolist()}
