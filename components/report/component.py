"""Report: what a run has found, as one HTML file."""

from tfx import types
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.types.standard_artifacts import ModelEvaluation, ModelRun, PushedModel, TunerResults

from components.artifacts import Analysis, HtmlReport, ImageDataset
from components.report.executor import Executor


class ReportSpec(ComponentSpec):
    """Inputs, outputs and parameters of Report."""

    INPUTS = {
        "images": ChannelParameter(type=ImageDataset),
        "dataset": ChannelParameter(type=ImageDataset),
        "verdict": ChannelParameter(type=Analysis),
        "model_run": ChannelParameter(type=ModelRun),
        "evaluation": ChannelParameter(type=ModelEvaluation),
        "analysis": ChannelParameter(type=Analysis),
        "pushed_model": ChannelParameter(type=PushedModel),
        "tuner_results": ChannelParameter(type=TunerResults, optional=True),
    }
    OUTPUTS = {"report": ChannelParameter(type=HtmlReport)}
    PARAMETERS = {
        "config": ExecutionParameter(type=str),
        "graph": ExecutionParameter(type=str),
        "facts": ExecutionParameter(type=str),
        "data": ExecutionParameter(type=str),
        "recipe": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
    }


class Report(BaseComponent):
    """Writes `index.html`: data, augmentation, training, evaluation, lineage."""

    SPEC_CLASS = ReportSpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        images: types.BaseChannel,
        dataset: types.BaseChannel,
        verdict: types.BaseChannel,
        model_run: types.BaseChannel,
        evaluation: types.BaseChannel,
        analysis: types.BaseChannel,
        pushed_model: types.BaseChannel,
        config: str,
        graph: str,
        facts: str,
        data: str | RuntimeParameter,
        recipe: str,
        tuner_results: types.BaseChannel | None = None,
        code_version: str = "",
    ) -> None:
        """Construct the component.

        Args:
            images: of ImageIngest.
            dataset: of SplitBalanceAugment.
            verdict: of DataGate.
            model_run: of Trainer.
            evaluation: of Evaluator.
            analysis: of PredictionAnalysis.
            pushed_model: of Pusher.
            config: the resolved configuration as JSON.
            graph: by component, those it takes something from, as JSON.
            facts: `command` and `origin` (name → value) as JSON.
            data: the data folder. A compiled pipeline's run may set it anew, and `facts` with it.
            recipe: digest of what decides the model; likewise.
            tuner_results: of Tuner, where there was a search.
            code_version: of the component's source; a changed one runs the component anew.
        """
        spec = ReportSpec(
            images=images,
            dataset=dataset,
            verdict=verdict,
            model_run=model_run,
            evaluation=evaluation,
            analysis=analysis,
            pushed_model=pushed_model,
            tuner_results=tuner_results,
            config=config,
            graph=graph,
            facts=facts,
            data=data,
            recipe=recipe,
            code_version=code_version,
            report=types.Channel(type=HtmlReport),
        )
        super().__init__(spec=spec)
