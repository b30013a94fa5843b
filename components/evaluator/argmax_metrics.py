"""TFMA metrics of the class with the highest probability, equal to scikit-learn's on the same predictions.

TFMA's own Precision, Recall and F1Score threshold each class's probability at 0.5, so they move with a temperature, and
its BalancedAccuracy is one-versus-rest. These come from the confusion matrix of the argmax.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util
from tensorflow_model_analysis.metrics.multi_class_confusion_matrix_metrics import multi_class_confusion_matrices

from components.tools.scores import OVERALL, PER_CLASS, scores


class ArgmaxMetrics(metric_types.Metric):
    """`OVERALL` as metrics of that name, `PER_CLASS` as metrics of that name and class id, of classes that occur."""

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
        counts = metrics[matrix_key].get(0.0, {})
        # Those that occur: in a slice of many classes most don't, and each metric of each slice is kept.
        seen = sorted({number for one in counts for number in (one.actual_class_id, one.predicted_class_id)})
        place = {number: index for index, number in enumerate(seen)}
        matrix = np.zeros((len(seen), len(seen)))
        for one, count in counts.items():
            matrix[place[one.actual_class_id], place[one.predicted_class_id]] = count
        values = scores(matrix)
        found = {key: float(values[metric]) for metric, key in overall.items()}
        found.update(
            {per_class[metric, number]: float(values[metric][place[number]]) for metric in PER_CLASS for number in seen}
        )
        return found

    keys = [*overall.values(), *per_class.values()]
    return [*matrices, metric_types.DerivedMetricComputation(keys=keys, result=result)]


metric_types.register_metric(ArgmaxMetrics)
