"""What TFMA measures of a model, and what the model must reach."""

from collections.abc import Sequence

from tensorflow_model_analysis.proto import config_pb2

from components.evaluator.comparison import BASELINE, CANDIDATE, Comparison
from components.evaluator.comparison import FEATURE as NEW
from components.evaluator.options import EvaluateOptions
from components.evaluator.slice_plan import Slicing
from components.formats.examples import AUGMENTED, LABEL, METADATA, TEXT

# Of each class's slice TFMA builds all metrics anew: with 1,000 classes that alone took minutes.
_MOST_CLASS_SLICES = 50
ACCURACY = "sparse_categorical_accuracy"
TOP_2 = "top_2_accuracy"
# How far above "always the commonest class" a model must be when no threshold is given, and as a share of what is
# missing to 1: the smaller counts.
_ABOVE_MAJORITY, _OF_THE_REST = 0.05, 0.5
ROUNDING = 1e-7  # TFMA's accuracy is a float32: 0.95 would be below a threshold of 0.95


def least_accuracy(options: EvaluateOptions, counts: Sequence[int]) -> float:
    """Return the accuracy that a model must reach on the test split.

    Args:
        options: `min_accuracy`, or None for the commonest class's share + 0.05, at most halfway to 1.
        counts: test images of each class.
    """
    if options.min_accuracy is not None:
        return options.min_accuracy
    majority = max(counts) / sum(counts)
    return majority + min(_ABOVE_MAJORITY, _OF_THE_REST * (1.0 - majority))


def make_eval_config(
    labels: Sequence[str],
    options: EvaluateOptions,
    counts: Sequence[int],
    comparison: Comparison | None,
    slicings: Sequence[Slicing] = (),
) -> config_pb2.EvalConfig:
    """Return TFMA's configuration.

    The thresholds apply to the whole split, or to what a comparison is made on, alone: `MetricConfig.threshold` would
    hold for every slice.

    Args:
        labels: class names in the order of their ids.
        options: the thresholds.
        counts: test images of each class.
        comparison: what the baseline is compared on; None where there is none.
        slicings: columns of metadata to slice by, one or two at once.
    """
    config = config_pb2.EvalConfig()
    with_baseline = comparison is not None
    for name in (CANDIDATE, BASELINE)[: 2 if with_baseline else 1]:
        config.model_specs.add(
            name=name if with_baseline else "",
            signature_name="serve_examples",
            label_key=LABEL,
            prediction_key="probabilities",
            is_baseline=name == BASELINE,
        )
    config.slicing_specs.add()
    for feature in (AUGMENTED, TEXT) if len(labels) <= _MOST_CLASS_SLICES else (AUGMENTED,):
        config.slicing_specs.add(feature_keys=[feature])
    for names in slicings:
        config.slicing_specs.add(feature_keys=[METADATA + name for name in names])
    spec = config.metrics_specs.add()
    spec.metrics.add(class_name="ExampleCount")
    accuracy = spec.metrics.add(class_name="SparseCategoricalAccuracy", config=f'"name": "{ACCURACY}"')
    threshold = accuracy.per_slice_thresholds.add()
    threshold.slicing_specs.add()
    threshold.threshold.value_threshold.lower_bound.value = least_accuracy(options, counts) - ROUNDING
    if comparison is not None and comparison.on == "new":
        threshold = accuracy.per_slice_thresholds.add()
        for specs in (config.slicing_specs, threshold.slicing_specs):
            specs.add(feature_values={NEW: "1"})
    if comparison is not None:
        threshold.threshold.change_threshold.direction = config_pb2.MetricDirection.HIGHER_IS_BETTER
        threshold.threshold.change_threshold.absolute.value = options.min_gain - ROUNDING
    if len(labels) > 2:
        spec.metrics.add(class_name="SparseTopKCategoricalAccuracy", config=f'"k": 2, "name": "{TOP_2}"')
    spec.metrics.add(
        class_name="ArgmaxMetrics", module="components.evaluator.argmax_metrics", config=f'"classes": {len(labels)}'
    )
    spec.metrics.add(class_name="MultiClassConfusionMatrixAtThresholds", config='"thresholds": [0.0]')
    return config
