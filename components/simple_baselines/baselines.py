"""What a model has to beat to be worth its training: one answer to everything, and a linear model.

Both are measured on the test split as the model is: with copies where it has some, intervals by groups.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.formats.dataset import read_columns
from components.formats.predictions import write_predictions
from components.scoring.intervals import with_intervals
from components.scoring.predictions import Predictions, read_split
from components.simple_baselines.hog import SIDE
from components.simple_baselines.linear_model import Labelled, LinearModel, fit_linear_model
from components.simple_baselines.read_features import feature_batches, originals, read_features, weights_of

MEASURED = ("accuracy", "balanced_accuracy", "macro_f1")
# Of the bootstrap. No options: another number of resamples, or another seed, would let the Evaluator run again.
_RESAMPLES, _SEED = 1000, 0


def measure_baselines(dataset: Path, labels: Sequence[str], target: Path) -> dict[str, Any]:
    """Fit on train, choose on eval, measure on test.

    Args:
        dataset: with splits.
        labels: class names in the order of their ids.
        target: folder to write what the linear model says of each image of test into.

    Returns:
        `images` of test; `largest_class` with its `label`, `linear_model` with `features`, `train_images`, `penalty`,
        `eval_accuracy` and `unknown`, the classes that it never saw. Each has `metrics`, those of `MEASURED` with
        intervals.

    Raises:
        ValueError: train has no image to fit on, or an image can't be decoded.
    """
    train = _labelled(dataset, "train", labels)
    if not len(train):
        raise ValueError(
            "the train split has no original image to fit a linear model on: add images, or copies' sources"
        )
    model = fit_linear_model(train, _labelled(dataset, "eval", labels), len(labels))
    write_predictions(*_predict(model, dataset), target)
    linear = read_split(dataset, "test", labels, target)
    # Of several that are as large, the first: the same rule as for the least accuracy that a model must reach.
    largest = int(np.bincount(linear.labels, minlength=len(labels)).argmax())
    constant = replace(linear, probabilities=np.eye(len(labels))[np.full(len(linear), largest)])

    def measured(answers: Predictions) -> dict[str, Any]:
        found = with_intervals(answers, len(labels), _RESAMPLES, _SEED)
        return {name: found[name] for name in MEASURED}

    return {
        "images": len(linear),
        "largest_class": {"label": labels[largest], "metrics": measured(constant)},
        "linear_model": {
            "features": f"HOG of {SIDE}×{SIDE} grey pixels",
            "train_images": len(train),
            "penalty": model.penalty,
            "eval_accuracy": model.eval_accuracy,
            "unknown": [label for index, label in enumerate(labels) if index not in model.fitted],
            "metrics": measured(linear),
        },
    }


def _labelled(dataset: Path, split: str, labels: Sequence[str]) -> Labelled:
    rows = originals(dataset, split)
    table = read_columns(dataset, split, ["label", "weight"]).take(rows)
    place = {label: index for index, label in enumerate(labels)}
    numbers = np.array([place[label] for label in table["label"].to_pylist()], np.int64)
    return Labelled(read_features(dataset, split, rows), numbers, weights_of(table))


def _predict(model: LinearModel, dataset: Path) -> tuple[list[str], NDArray[np.float32]]:
    """Return ids and probabilities of all images of test, copies too."""
    ids = read_columns(dataset, "test", ["id"])["id"].to_pylist()
    batches = [model.probabilities(one) for one in feature_batches(dataset, "test", np.arange(len(ids)))]
    return ids, np.concatenate([np.empty((0, model.classes), np.float32), *batches])
