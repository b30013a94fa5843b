"""BaselineFinder and ImageEvaluator: is the new model good enough, and better than the one that stands?"""

from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.types.standard_artifacts import Examples, Model, ModelBlessing, ModelEvaluation

from components.component import Component, Input, Output, Parameter
from components.evaluator.baseline_executor import BaselineExecutor
from components.evaluator.executor import EvaluatorExecutor
from components.evaluator.options import EvaluateOptions
from components.formats.artifacts import Analysis


class BaselineFinder(Component):
    """Fetch the newest pushed model with the same classes that other data, options or code made."""

    EXECUTOR = BaselineExecutor
    INPUTS = {
        "summary": Input(Analysis, "of SplitBalanceAugment, for the data's digest"),
        "labels": Input(Analysis, "of TFRecordConverter"),
    }
    OUTPUTS = {"model": Output(Model, "stays empty where there is nothing to compare with")}
    PARAMETERS = {
        "destination": Parameter(str, "where models are pushed"),
        "recipe": Parameter(str, "digest of the options and code that decide the new model"),
        "folder_digest": Parameter(str, "of the data folder; empty where no runner has looked at it"),
        "candidates": Parameter(str, "versions that the runner saw at the destination: another list is another run"),
    }


class ImageEvaluator(Component, BaseBeamComponent):  # type: ignore[misc]
    """Run TFX's Evaluator on the test split: thresholds, comparison with the baseline, slices."""

    EXECUTOR = EvaluatorExecutor
    FURTHER_CODE = ("components.evaluator.argmax_metrics",)
    INPUTS = {
        "groups": Input(Analysis, "of TFRecordConverter, for the class counts of test, and what is new to both models"),
        "examples": Input(Examples, "with our label map"),
        "model": Input(Model, "the candidate"),
        "baselines": Input(Analysis, "of SimpleBaselines: what the model must beat"),
        "baseline_model": Input(Model, "of BaselineFinder; may be empty"),
    }
    OUTPUTS = {
        "evaluation": Output(ModelEvaluation, "TFMA's files, `results.json`, the predictions of test"),
        "blessing": Output(ModelBlessing, "whether the model may be pushed"),
    }
    PARAMETERS = {"evaluate": Parameter(EvaluateOptions, "what the model must reach")}
