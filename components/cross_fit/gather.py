"""What the folds' models say of images that they weren't trained on, put together. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.tools.scores import scores

SCORES = ("accuracy", "macro_f1")
# What of a fold's training is worth a column.
_OF_TRAINING = ("train_images", "eval_images", "epochs_run", "best_epoch", "temperature", "seconds")


def summarize(
    predictions: Mapping[int, tuple[NDArray[np.int64], NDArray[np.float64]]],
    trainings: Mapping[int, Mapping[str, Any]],
    classes: int,
) -> dict[str, Any]:
    """Return the scores of each fold, their mean and spread, and what these mean.

    Args:
        predictions: by fold, the given classes [N] of its images and the probabilities [N, C] that its model gives.
        trainings: by fold, the content of `training.json`.
        classes: number of classes.

    Returns:
        `folds`, a list with `fold`, `images`, each of `SCORES` and some figures of the training; each of `SCORES` with
        `mean` and `spread`, the standard deviation over folds; `images`, and `text` for people.
    """
    rows: list[dict[str, Any]] = []
    for fold, (labels, probabilities) in sorted(predictions.items()):
        cells = labels * classes + probabilities.argmax(axis=1)
        matrix = np.bincount(cells, minlength=classes * classes).reshape(classes, classes).astype(float)
        of_fold = scores(matrix)
        training = {name: trainings[fold].get(name) for name in _OF_TRAINING}
        rows.append(
            {"fold": fold, "images": len(labels), **{name: float(of_fold[name]) for name in SCORES}, **training}
        )
    found: dict[str, Any] = {"images": sum(row["images"] for row in rows), "folds": rows}
    for name in SCORES:
        values = [row[name] for row in rows]
        found[name] = {"mean": float(np.mean(values)), "spread": float(np.std(values, ddof=1))}
    return found | {
        "text": _describe(found, len(rows)) + _warn([one.get("held_out_seen") for one in trainings.values()])
    }


def _describe(found: Mapping[str, Any], folds: int) -> str:
    values = " and ".join(
        f"{name.replace('_f', '-F')} {found[name]['mean']:.3f} ± {found[name]['spread']:.3f}" for name in SCORES
    )
    trained = sorted(row["train_images"] for row in found["folds"])
    return (
        f"Over {folds} folds of train and eval, {values}: mean and standard deviation of the folds' scores, each of a "
        f"model trained on {_range(trained)} images, copies included. The spread says how much a score differs from "
        "one fold and training to another. It is no standard error, and gives no confidence interval: the folds' "
        "models share most of their images, so their scores depend on each other, and no unbiased estimate of the "
        "mean's variance exists (Bengio & Grandvalet 2004)."
    )


def _warn(seen: Sequence[int | None]) -> str:
    """Say if the weights that training began with know the images that are held out."""
    if None in seen:
        return (
            " The weights that training began with don't say what they were made from: if these images are among it, "
            "the scores are too good, and wrong labels are missed."
        )
    count = sum(filter(None, seen))
    if not count:
        return ""
    return (
        f" The weights that training began with were made from {count:,} of these images: the scores are too good, and "
        "wrong labels are missed."
    )


def _range(values: Sequence[int]) -> str:
    low, high = values[0], values[-1]
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
