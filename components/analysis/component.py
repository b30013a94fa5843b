"""PredictionAnalysis: intervals, calibration, mistakes, suspicious labels, and the model card."""

from tfx import types
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.types.standard_artifacts import Examples, Model, ModelRun

from components.analysis.executor import Executor
from components.artifacts import Analysis, ImageDataset


class PredictionAnalysisSpec(ComponentSpec):
    """Inputs, outputs and parameters of PredictionAnalysis."""

    INPUTS = {
        "dataset": ChannelParameter(type=ImageDataset),
        "examples": ChannelParameter(type=Examples),
        "model": ChannelParameter(type=Model),
        "model_run": ChannelParameter(type=ModelRun),
    }
    OUTPUTS = {"analysis": ChannelParameter(type=Analysis)}
    PARAMETERS = {
        "evaluate": ExecutionParameter(type=str),
        "image": ExecutionParameter(type=str),
        "seed": ExecutionParameter(type=int),
        "recipe": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
    }


class PredictionAnalysis(BaseComponent):
    """Predicts eval and test once more and computes what goes beyond TFMA."""

    SPEC_CLASS = PredictionAnalysisSpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        dataset: types.BaseChannel,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        model_run: types.BaseChannel,
        evaluate: str,
        image: str,
        seed: int | RuntimeParameter,
        recipe: str,
        code_version: str = "",
    ) -> None:
        """Construct the component.

        Args:
            dataset: the split ImageDataset, for its counts.
            examples: standard Examples with our label map.
            model: the trained model.
            model_run: for `training.json`.
            evaluate: `EvaluateOptions` as JSON.
            image: `ImageOptions` as JSON.
            seed: decides the bootstrap's resamples.
            recipe: digest of the options and code that decide the model.
            code_version: of the component's source; a changed one runs the component anew.
        """
        spec = PredictionAnalysisSpec(
            dataset=dataset,
            examples=examples,
            model=model,
            model_run=model_run,
            evaluate=evaluate,
            image=image,
            seed=seed,
            recipe=recipe,
            code_version=code_version,
            analysis=types.Channel(type=Analysis),
        )
        super().__init__(spec=spec)
