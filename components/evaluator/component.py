"""BaselineFinder and ImageEvaluator: is the new model good enough, and better than the one that stands?"""

from tfx import types
from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec, ExecutorClassSpec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.types.standard_artifacts import Examples, Model, ModelBlessing, ModelEvaluation

from components.artifacts import ImageDataset
from components.evaluator.executor import BaselineExecutor, EvaluatorExecutor


class BaselineFinderSpec(ComponentSpec):
    """Inputs, outputs and parameters of BaselineFinder."""

    INPUTS = {"dataset": ChannelParameter(type=ImageDataset), "examples": ChannelParameter(type=Examples)}
    OUTPUTS = {"model": ChannelParameter(type=Model)}
    PARAMETERS = {
        "destination": ExecutionParameter(type=str),
        "recipe": ExecutionParameter(type=str),
        "folder_digest": ExecutionParameter(type=str),
        "candidates": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
    }


class BaselineFinder(BaseComponent):
    """Fetches the newest pushed model with the same classes that other data, options or code made."""

    SPEC_CLASS = BaselineFinderSpec
    EXECUTOR_SPEC = ExecutorClassSpec(BaselineExecutor)

    def __init__(
        self,
        dataset: types.BaseChannel,
        examples: types.BaseChannel,
        destination: str | RuntimeParameter,
        recipe: str,
        folder_digest: str = "",
        candidates: str = "",
        code_version: str = "",
    ) -> None:
        """Construct the component.

        Args:
            dataset: the split ImageDataset, for its digest.
            examples: for their label map.
            destination: where models are pushed.
            recipe: digest of the options and code that decide the new model.
            folder_digest: of the data folder; "" where no runner has looked at it.
            candidates: versions that the runner saw at the destination: a changed list runs the component anew.
            code_version: of the component's source; likewise.
        """
        spec = BaselineFinderSpec(
            dataset=dataset,
            examples=examples,
            destination=destination,
            recipe=recipe,
            folder_digest=folder_digest,
            candidates=candidates,
            code_version=code_version,
            model=types.Channel(type=Model),
        )
        super().__init__(spec=spec)


class ImageEvaluatorSpec(ComponentSpec):
    """Inputs, outputs and parameters of ImageEvaluator."""

    INPUTS = {
        "dataset": ChannelParameter(type=ImageDataset),
        "examples": ChannelParameter(type=Examples),
        "model": ChannelParameter(type=Model),
        "baseline_model": ChannelParameter(type=Model),
    }
    OUTPUTS = {
        "evaluation": ChannelParameter(type=ModelEvaluation),
        "blessing": ChannelParameter(type=ModelBlessing),
    }
    PARAMETERS = {"evaluate": ExecutionParameter(type=str), "code_version": ExecutionParameter(type=str)}


class ImageEvaluator(BaseBeamComponent):
    """TFX's Evaluator on the test split: thresholds, comparison with the baseline, slices."""

    SPEC_CLASS = ImageEvaluatorSpec
    EXECUTOR_SPEC = BeamExecutorSpec(EvaluatorExecutor)

    def __init__(
        self,
        dataset: types.BaseChannel,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        baseline_model: types.BaseChannel,
        evaluate: str,
        code_version: str = "",
    ) -> None:
        """Construct the component.

        Args:
            dataset: the split ImageDataset, for the class counts of test.
            examples: standard Examples with our label map.
            model: the candidate.
            baseline_model: of BaselineFinder; may be empty.
            evaluate: `EvaluateOptions` as JSON.
            code_version: of the component's source; a changed one runs the component anew.
        """
        spec = ImageEvaluatorSpec(
            dataset=dataset,
            examples=examples,
            model=model,
            baseline_model=baseline_model,
            evaluate=evaluate,
            code_version=code_version,
            evaluation=types.Channel(type=ModelEvaluation),
            blessing=types.Channel(type=ModelBlessing),
        )
        super().__init__(spec=spec)
