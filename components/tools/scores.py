"""Scores of the class with the highest probability, from confusion matrices, as scikit-learn defines them. Pure."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

OVERALL = ("balanced_accuracy", "macro_precision", "macro_recall", "macro_f1", "weighted_f1")
PER_CLASS = ("precision", "recall", "f1", "support")


def scores(matrix: NDArray[np.float64]) -> dict[str, Any]:
    """Return scores of a confusion matrix, as scikit-learn defines them with `zero_division=0`.

    Args:
        matrix: […, C, C] counts, true classes in rows, predicted in columns; leading axes are separate matrices.

    Returns:
        `accuracy` and each of `OVERALL` as […], each of `PER_CLASS` as […, C]. Macro averages run over the classes that
        occur in truth or prediction, balanced accuracy over those that occur in truth.
    """
    hits = np.diagonal(matrix, axis1=-2, axis2=-1)
    support, predicted = matrix.sum(-1), matrix.sum(-2)
    total = support.sum(-1)
    by_class = class_scores(hits, support, predicted)
    precision, recall, f1 = (by_class[name] for name in PER_CLASS[:-1])
    seen, true = (support + predicted) > 0, support > 0
    return {
        "accuracy": _divide(hits.sum(-1), total),
        "balanced_accuracy": _divide((recall * true).sum(-1), true.sum(-1)),
        "macro_precision": _divide((precision * seen).sum(-1), seen.sum(-1)),
        "macro_recall": _divide((recall * seen).sum(-1), seen.sum(-1)),
        "macro_f1": _divide((f1 * seen).sum(-1), seen.sum(-1)),
        "weighted_f1": _divide((f1 * support).sum(-1), total),
        **by_class,
    }


def class_scores(
    hits: NDArray[np.float64], support: NDArray[np.float64], predicted: NDArray[np.float64]
) -> dict[str, Any]:
    """Return each of `PER_CLASS` as […, C].

    Args:
        hits: […, C] images of a class that are said to be of it.
        support: […, C] images of a class.
        predicted: […, C] images that are said to be of a class.
    """
    return {
        "precision": _divide(hits, predicted),
        "recall": _divide(hits, support),
        "f1": _divide(2 * hits, support + predicted),
        "support": support,
    }


def _divide(numerator: Any, denominator: Any) -> Any:
    numerator, denominator = np.asarray(numerator, float), np.asarray(denominator, float)
    return np.divide(
        numerator, denominator, out=np.zeros(np.broadcast(numerator, denominator).shape), where=denominator > 0
    )
