"""Runs the evaluation inside TFX."""

from contextvars import copy_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tfx import types
from tfx.components.evaluator import constants
from tfx.components.evaluator import executor as tfx_evaluator
from tfx.types.artifact_utils import get_single_instance
from tfx.utils import json_utils, proto_utils

from components.evaluator.beaten import Baseline, describe, hold_against, not_beaten
from components.evaluator.comparison import BASELINE, CANDIDATE, Comparison, decide
from components.evaluator.eval_config import least_accuracy, make_eval_config
from components.evaluator.extractors import custom_extractors
from components.evaluator.gain import Gain, missed, paired_gain
from components.evaluator.handed_over import KEPT, SEEN, SLICED
from components.evaluator.options import EvaluateOptions
from components.evaluator.results import read_blessing, read_results, read_slices
from components.evaluator.slice_tables import plan_of, slices_of
from components.evaluator.slices import too_weak
from components.formats.documents import BASELINES, RESULTS
from components.formats.examples import read_labels
from components.formats.groups import read_groups
from components.formats.predictions import read_predictions, write_predictions
from components.formats.saved_model import ASSETS, is_saved_model, read_made_from, serving_folder
from components.tools.files import write_text
from components.tools.proportions import LEVEL

_OURS = ("groups", "baselines", "baseline_model")  # inputs that TFX's own executor knows nothing of


class EvaluatorExecutor(tfx_evaluator.Executor):
    """TFX's Evaluator with thresholds from the data, and without an empty baseline, which TFMA can't load."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluate on the test split.

        Args:
            input_dict: `groups`, `examples`, `model`, `baselines`, and `baseline_model`, which may be empty.
            output_dict: `evaluation` (TFMA's files, `results.json`, the candidate's predictions) and `blessing`.
            exec_properties: `evaluate`, options as JSON.
        """
        options = EvaluateOptions.model_validate_json(exec_properties["evaluate"])
        labels = read_labels(get_single_instance(input_dict["examples"]).uri)
        images = read_groups(get_single_instance(input_dict["groups"]).uri)
        in_test = images.filter(pc.field("split") == "test")
        of_test = in_test["label"].to_pylist()
        counts = [of_test.count(label) for label in labels]
        baseline = get_single_instance(input_dict["baseline_model"])
        pushed = serving_folder(baseline.uri)
        comparison: Comparison | None = None
        if is_saved_model(pushed):
            new = serving_folder(get_single_instance(input_dict["model"]).uri)
            comparison = decide(
                read_made_from(pushed / ASSETS),
                read_made_from(new / ASSETS),
                list(zip(images["sha256"].to_pylist(), images["group"].to_pylist(), strict=True)),
                in_test["group"].to_pylist(),
            )
        inputs = {key: value for key, value in input_dict.items() if key not in _OURS}
        if comparison is not None:
            inputs["baseline_model"] = [baseline]
        plan = plan_of(images, options)
        config = make_eval_config(labels, options, counts, comparison, plan.slicings if plan else ())
        properties = dict(exec_properties)
        properties["eval_config"] = proto_utils.proto_to_json(config)
        properties["example_splits"] = json_utils.dumps(["test"])
        properties["custom_extractors"] = f"{custom_extractors.__module__}.{custom_extractors.__name__}"
        evaluation = get_single_instance(output_dict["evaluation"])
        uri = Path(evaluation.uri)
        kept = uri / "kept"
        marked = comparison is not None and comparison.on == "new"
        handed_over = copy_context()
        handed_over.run(SEEN.set, comparison.seen if comparison is not None and marked else None)
        handed_over.run(KEPT.set, str(kept))
        handed_over.run(SLICED.set, plan.columns if plan else ())
        try:
            handed_over.run(super().Do, inputs, output_dict, properties)
            rows = pq.read_table(kept)
            write_predictions(rows["id"].to_pylist(), np.stack(rows["probabilities"].to_numpy()), uri)
        finally:
            kept.unlink(missing_ok=True)
        where = comparison.where if comparison is not None else ""
        gain = None if comparison is None else _gain(rows, comparison, options.gain_confidence or LEVEL)
        model = CANDIDATE if comparison is not None else ""
        candidate = read_results(uri, labels, model)
        slices = plan and slices_of(
            rows, read_slices(uri, plan.slicings, model), plan, options, candidate["accuracy"] or 0.0
        )
        verdict = read_blessing(uri, where)
        baselines = _held_against(Path(get_single_instance(input_dict["baselines"]).uri), labels, rows)
        further = []
        if gain is not None and options.gain_confidence is not None and verdict["blessed"]:
            further += missed(gain, options.min_gain, where)
        if options.beat_baselines:
            further += not_beaten(baselines, candidate["accuracy"])
        if slices:
            further += too_weak(slices)
        if further and verdict["blessed"]:
            _take_back(get_single_instance(output_dict["blessing"]))
        results: dict[str, Any] = {
            "blessed": verdict["blessed"] and not further,
            "failures": verdict["failures"] + further,
            "least_accuracy": least_accuracy(options, counts),
            "min_gain": options.min_gain,
            "gain_confidence": options.gain_confidence,
            "beat_baselines": options.beat_baselines,
            "candidate": candidate,
            "baselines": baselines,
            "about_baselines": describe(baselines, candidate["balanced_accuracy"]),
            "baseline": None,
            "comparison": None,
            "slices": slices,
        }
        if comparison is not None and gain is not None:
            version = baseline.get_string_custom_property("version")
            results["baseline"] = {"version": version, **read_results(uri, labels, BASELINE)}
            accuracies = [results[model]["compared_accuracy"] for model in ("candidate", "baseline")]
            results["comparison"] = {
                "on": comparison.on,
                "images": comparison.images,
                "fair": comparison.is_fair,
                "gain": gain.as_json(),
                "text": f"{comparison.describe(version, *accuracies)} {gain.describe()}",
            }
        RESULTS.write(results, uri)
        evaluation.set_float_custom_property("accuracy", results["candidate"]["accuracy"])
        evaluation.set_float_custom_property("macro_f1", results["candidate"]["macro_f1"])
        evaluation.set_float_custom_property("least_accuracy", results["least_accuracy"])
        evaluation.set_int_custom_property("blessed", int(results["blessed"]))
        if slices:
            evaluation.set_int_custom_property("judged_slices", slices["judged"])
        if slices and slices["worst"]:
            evaluation.set_string_custom_property("worst_slice", slices["worst"]["slice"])
            evaluation.set_float_custom_property("worst_slice_accuracy", slices["worst"]["accuracy"])
        if comparison is not None and gain is not None:
            evaluation.set_string_custom_property("compared_on", comparison.on)
            evaluation.set_int_custom_property("compared_images", comparison.images)
            evaluation.set_string_custom_property("baseline_version", results["baseline"]["version"])
            evaluation.set_float_custom_property("baseline_accuracy", results["baseline"]["accuracy"])
            for name, value in (("gain", gain.value), ("gain_low", gain.low), ("gain_high", gain.high)):
                evaluation.set_float_custom_property(name, value)


def _held_against(measured: Path, labels: list[str], rows: pa.Table) -> list[Baseline]:
    """Return the simple baselines beside the model's answers on the same images."""
    return hold_against(
        BASELINES.read(measured),
        labels,
        truth=rows["label"].to_numpy(),
        candidate=np.stack(rows["probabilities"].to_numpy()).argmax(axis=1),
        linear=read_predictions(measured, rows["id"].to_pylist()).argmax(axis=1),
        groups=np.array(rows["group"].to_pylist(), np.str_),
        copies=np.array(rows["augmented"].to_pylist(), bool),
    )


def _gain(rows: pa.Table, comparison: Comparison, level: float) -> Gain:
    """Return the gain on the images that both models are compared on, from what they said of them."""
    groups = np.array(rows["group"].to_pylist(), np.str_)
    on = ~np.isin(groups, list(comparison.seen)) if comparison.on == "new" else np.ones(len(groups), bool)
    labels = rows["label"].to_numpy()
    right = [np.stack(rows[model].to_numpy()).argmax(axis=1) == labels for model in ("probabilities", "baseline")]
    copies = np.array(rows["augmented"].to_pylist(), bool)
    return paired_gain(right[0][on], right[1][on], groups[on], copies[on], level)


def _take_back(blessing: types.Artifact) -> None:
    """Make a blessing that TFX's executor has given one that it hasn't."""
    (Path(blessing.uri) / constants.BLESSED_FILE_NAME).unlink()
    write_text("", Path(blessing.uri) / constants.NOT_BLESSED_FILE_NAME)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, constants.NOT_BLESSED_VALUE)
