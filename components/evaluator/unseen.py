"""Comparison with a pushed model on images that are new to it.

Once the data or the split has changed, images that a pushed model was trained on may be in test. There it looks better
than it is, and no new model could ever beat it.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma

from components.images import made_from
from components.pusher.versions import ASSETS

FEATURE = "image/unseen_by_baseline"
DIGEST = "image/key/sha256"
LEAST_IMAGES = 30  # with fewer, chance alone would decide

Comparison = Literal["all", "unseen", "none"]


def compare_on(model: Path, digests: Sequence[str]) -> tuple[Comparison, int]:
    """Decide which test images a pushed model is compared on.

    Args:
        model: the pushed model's folder.
        digests: SHA-256 of each test image's source, hex.

    Returns:
        "all" where it has seen none or doesn't say what it was made from, "unseen" where the others are enough, or
        "none"; and the number of images that it hasn't seen.
    """
    known = made_from.read(model / ASSETS / made_from.MADE_FROM) or frozenset()
    unseen = sum(not made_from.has_seen(known, digest) for digest in digests)
    if unseen == len(digests):
        return "all", unseen
    return ("unseen" if unseen >= LEAST_IMAGES else "none"), unseen


def custom_extractors(eval_shared_model: Any, eval_config: Any, tensor_adapter_config: Any) -> list[Any]:
    """TFMA's extractors, and one that adds `FEATURE` to each example: 1 where the baseline hasn't seen the image."""
    baseline = next(model for model in eval_shared_model if model.model_name == "baseline")
    known = made_from.read(Path(baseline.model_path) / ASSETS / made_from.MADE_FROM) or frozenset()
    extractors = tfma.default_extractors(
        eval_shared_model=eval_shared_model,
        eval_config=eval_config,
        tensor_adapter_config=tensor_adapter_config,
    )
    # Right behind the one that parses the examples, for the others hand its features on.
    extractors.insert(1, tfma.extractors.Extractor("MarkUnseen", beam.Map(partial(_mark, known))))
    return list(extractors)


def _mark(known: frozenset[str], extracts: dict[str, Any]) -> dict[str, Any]:
    features = extracts[tfma.FEATURES_KEY]
    digests = np.asarray(features[DIGEST])
    unseen = [not made_from.has_seen(known, digest.decode()) for digest in digests.ravel()]
    marks = np.array(unseen, np.int64).reshape(digests.shape)
    return {**extracts, tfma.FEATURES_KEY: {**features, FEATURE: marks}}
