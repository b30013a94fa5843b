"""What TFX's Evaluator hands to TFMA in place of TFMA's own extractors.

TFX imports the function by its path, and the module anew.
"""

from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma

from components.evaluator.comparison import FEATURE, SEEN
from components.formats.examples import GROUP


def custom_extractors(eval_shared_model: Any, eval_config: Any, tensor_adapter_config: Any) -> list[Any]:
    """TFMA's extractors, and one that adds `FEATURE` to each example: 0 where its group is in `SEEN`, else 1."""
    extractors = tfma.default_extractors(
        eval_shared_model=eval_shared_model,
        eval_config=eval_config,
        tensor_adapter_config=tensor_adapter_config,
    )
    # Right behind the one that parses the examples, for the others hand its features on.
    extractors.insert(1, tfma.extractors.Extractor("MarkNew", beam.Map(_mark, SEEN.get())))
    return list(extractors)


def _mark(extracts: dict[str, Any], seen: frozenset[str]) -> dict[str, Any]:
    features = extracts[tfma.FEATURES_KEY]
    groups = np.asarray(features[GROUP])
    marks = np.array([group.decode() not in seen for group in groups.ravel()], np.int64).reshape(groups.shape)
    return {**extracts, tfma.FEATURES_KEY: {**features, FEATURE: marks}}
