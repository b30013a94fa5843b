"""TFMA metrics of the class with the highest probability, equal to scikit-learn's on the same predictions.

TFMA's own Precision, Recall and F1Score threshold each class's probability at 0.5, so they move with a temperature, and
its BalancedAccuracy is one-versus-rest. These come from the confusion matrix of the argmax.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorflow_model_analysis.metrics import metric_types, metric_util
from tensorflow_model_analysis.metrics.multi_class_confusion_matrix_metrics import multi_class_confusion_matrices

OVERALL = ("balanced_accuracy", "macro_precision", "macro_recall", "macro_f1", "weighted_f1")
PER_CLASS = ("precision", "recall", "f1", "support")


def scores(matrix: NDArray[np.float64]) -> dict[str, Any]:
    """Scores of a confusion matrix, as scikit-learn defines them with `zero_division=0`.

    Args:
        matrix: […, C, C] counts, true classes in rows, predicted in columns; leading axes are separate matrices.

    Returns:
        `accuracy` and each of `OVERALL` as […], each of `PER_CLASS` as […, C]. Macro averages run over the classes that
        occur in truth or prediction, balanced accuracy over those that occur in truth.
    """
    hits = np.diagonal(matrix, axis1=-2, axis2=-1)
    support, predicted = matrix.sum(-1), matrix.sum(-2)
    total = support.sum(-1)
    precision = _divide(hits, predicted)
    recall = _divide(hits, support)
    f1 = _divide(2 * hits, support + predicted)
    seen, true = (support + predicted) > 0, support > 0
    return {
        "accuracy": _divide(hits.sum(-1), total),
        "balanced_accuracy": _divide((recall * true).sum(-1), true.sum(-1)),
        "macro_precision": _divide((precision * seen).sum(-1), seen.sum(-1)),
        "macro_recall": _divide((recall * seen).sum(-1), seen.sum(-1)),
        "macro_f1": _divide((f1 * seen).sum(-1), seen.sum(-1)),
        "weighted_f1": _divide((f1 * support).sum(-1), total),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "support": support,
    }


def _divide(numerator: Any, denominator: Any) -> Any:
    numerator, denominator = np.asarray(numerator, float), np.asarray(denominator, float)
    return np.divide(
        numerator, denominator, out=np.zeros(np.broadcast(numerator, denominator).shape), where=denominator > 0
    )


class ArgmaxMetrics(metric_types.Metric):
    """`OVERALL` as metrics of that name, `PER_CLASS` as metrics of that name and class id."""

    def __init__(self, classes: int, name: str = "argmax_metrics") -> None:
        """Set up the metric for a number of classes."""
        super().__init__(metric_util.merge_per_key_computations(_computations), classes=classes, name=name)


def _computations(
    classes: int,
    name: str = "",
    eval_config: Any = None,
    model_name: str = "",
    output_name: str = "",
    example_weighted: bool = False,
) -> list[Any]:
    del name
    where = {"model_name": model_name, "output_name": output_name, "example_weighted": example_weighted}
    matrices = multi_class_confusion_matrices(thresholds=[0.0], eval_config=eval_config, **where)
    matrix_key = matrices[-1].keys[-1]
    overall = {metric: metric_types.MetricKey(name=metric, **where) for metric in OVERALL}
    per_class = {
        (metric, index): metric_types.MetricKey(name=metric, sub_key=metric_types.SubKey(class_id=index), **where)
        for metric in PER_CLASS
        for index in range(classes)
    }

    def result(metrics: Mapping[Any, Any]) -> dict[Any, float]:
        matrix = np.zeros((classes, classes))
        for entry, count in metrics[matrix_key].get(0.0, {}).items():
            matrix[entry.actual_class_id, entry.predicted_class_id] = count
        values = scores(matrix)
        found = {key: float(values[metric]) for metric, key in overall.items()}
        found.update({key: float(values[metric][index]) for (metric, index), key in per_class.items()})
        return found

    keys = [*overall.values(), *per_class.values()]
    return [*matrices, metric_types.DerivedMetricComputation(keys=keys, result=result)]


metric_types.register_metric(ArgmaxMetrics)
