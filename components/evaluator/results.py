"""TFMA's results as plain values."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import validation_result_pb2

from components.evaluator.comparison import FEATURE as NEW
from components.evaluator.eval_config import ACCURACY, ROUNDING, TOP_2
from components.evaluator.slice_plan import Slicing
from components.formats.examples import AUGMENTED, METADATA, TEXT
from components.tools.scores import OVERALL, PER_CLASS


def read_results(evaluation: Path, labels: Sequence[str], model: str = "") -> dict[str, Any]:
    """Return the metrics of one model on the whole split, per class and per slice.

    Args:
        evaluation: folder that the Evaluator wrote.
        labels: class names in the order of their ids.
        model: name of the model in the evaluation; "" where there is one alone.

    Returns:
        `examples`, `accuracy`, `top_2_accuracy` and each of `OVERALL`; `per_class` by label; `slices`, a list with
        `feature`, `value`, `examples`, `accuracy`; and `compared_accuracy`, on what two models are compared on. What
        isn't a number is None.
    """
    by_slice = dict(tfma.load_eval_result(str(evaluation), model_name=model).slicing_metrics)
    whole = by_slice[()][""]
    overall = whole[""]
    compared = by_slice[((NEW, 1),)][""][""] if ((NEW, 1),) in by_slice else overall
    found: dict[str, Any] = {
        "examples": int(_number(overall["example_count"]) or 0),
        "accuracy": _number(overall[ACCURACY]),
        "compared_accuracy": _number(compared[ACCURACY]),
        "top_2_accuracy": _number(overall.get(TOP_2)),
    }
    found.update({name: _number(overall[name]) for name in OVERALL})
    found["per_class"] = {
        label: {name: _number(values[name]) if (values := whole.get(f"classId:{index}")) else 0.0 for name in PER_CLASS}
        for index, label in enumerate(labels)
    }
    # Of a class, accuracy is recall.
    found["slices"] = [
        {"feature": TEXT, "value": label, "examples": int(one["support"]), "accuracy": one["recall"]}
        for label, one in found["per_class"].items()
        if one["support"]
    ]
    for key, metrics in by_slice.items():
        if len(key) == 1 and key[0][0] == AUGMENTED:
            values = metrics[""][""]
            one = {"feature": key[0][0], "value": _text(key[0][1])}
            one |= {"examples": int(_number(values["example_count"]) or 0), "accuracy": _number(values[ACCURACY])}
            found["slices"].append(one)
    found["slices"].sort(key=lambda one: (one["feature"], one["value"]))
    return found


def read_slices(
    evaluation: Path, slicings: Sequence[Slicing], model: str = ""
) -> dict[tuple[tuple[str, str], ...], tuple[int, float]]:
    """Return number of images and accuracy of each slice by metadata: by column and name, in the slicings' order.

    Args:
        evaluation: folder that the Evaluator wrote.
        slicings: columns that it sliced by, one or two at once.
        model: see `read_results`.
    """
    orders = {tuple(sorted(METADATA + name for name in slicing)): slicing for slicing in slicings}
    found = {}
    for key, metrics in tfma.load_eval_result(str(evaluation), model_name=model).slicing_metrics:
        slicing = orders.get(tuple(sorted(feature for feature, _ in key)))
        if slicing is not None:
            names = {feature: _text(value) for feature, value in key}
            values = metrics[""][""]
            place = tuple((name, names[METADATA + name]) for name in slicing)
            found[place] = (int(_number(values["example_count"]) or 0), _number(values[ACCURACY]) or 0.0)
    return found


def read_blessing(evaluation: Path, where: str = "") -> dict[str, Any]:
    """Return whether the thresholds were met, and each that was not: metric, bound, value, and a text that says so.

    Args:
        evaluation: folder that the Evaluator wrote.
        where: where the models were compared, if not on the whole test split.
    """
    result = tfma.load_validation_result(str(evaluation))
    failures = [failure for one_slice in result.metric_validations_per_slice for failure in one_slice.failures]
    return {"blessed": bool(result.validation_ok), "failures": [_explain(failure, where) for failure in failures]}


def _explain(failure: validation_result_pb2.ValidationFailure, where: str) -> dict[str, Any]:
    value, bound, change = _failed_value(failure), _bound(failure), failure.metric_key.is_diff
    if value is None:
        text = f"test accuracy is NaN, at least {bound:.3f} is required"
    elif change:
        text = (
            f"test accuracy differs by {value:+.3f} from the pushed model's{where}, at least {bound:+.3f} is required"
        )
    else:
        text = f"test accuracy is {value:.3f}, at least {bound:.3f} is required"
    return {
        "metric": failure.metric_key.name,
        "change": change,
        "value": value,
        "bound": bound,
        "text": text,
    }


def _failed_value(failure: validation_result_pb2.ValidationFailure) -> float | None:
    return _number({"doubleValue": failure.metric_value.double_value.value})


def _bound(failure: validation_result_pb2.ValidationFailure) -> float:
    threshold = failure.metric_threshold
    change = failure.metric_key.is_diff
    bound = threshold.change_threshold.absolute.value if change else threshold.value_threshold.lower_bound.value
    return round(float(bound) + ROUNDING, 9)


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value.get("doubleValue", math.nan)) if isinstance(value, dict) else float(value)
    return number if math.isfinite(number) else None


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
