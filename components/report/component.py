"""Report: what a run has found, as one HTML file."""

from tfx.types.standard_artifacts import ModelEvaluation, ModelRun, PushedModel, TunerResults

from components.component import Component, Input, Output, Parameter
from components.formats.artifacts import Analysis, HtmlReport
from components.report.executor import Executor


class Report(Component):
    """Write one page of everything: data, augmentation, training, evaluation, lineage."""

    EXECUTOR = Executor
    INPUTS = {
        "findings": Input(Analysis, "of ImageIngest"),
        "summary": Input(Analysis, "of SplitBalanceAugment"),
        "verdict": Input(Analysis, "of DataGate"),
        "model_run": Input(ModelRun, "of the Trainer"),
        "evaluation": Input(ModelEvaluation, "of the Evaluator"),
        "analysis": Input(Analysis, "of PredictionAnalysis, with the pictures"),
        "pushed_model": Input(PushedModel, "of the Pusher"),
        "explanation": Input(Analysis, "of ModelExplanation, unless it is switched off", optional=True),
        "exports": Input(Analysis, "of ModelExport, where push.formats asks for more than a SavedModel", optional=True),
        "tuner_results": Input(TunerResults, "of the Tuner, where there was a search", optional=True),
    }
    OUTPUTS = {"report": Output(HtmlReport, "`index.html`")}
    PARAMETERS = {
        "config": Parameter(str, "the resolved configuration as JSON"),
        "graph": Parameter(str, "by component, those that it follows, as JSON"),
        "facts": Parameter(str, "`command` and `origin` (name → value) as JSON"),
        "data": Parameter(
            str, "the data folder, or several; a compiled pipeline's run may set it, and `facts` with it"
        ),
        "recipe": Parameter(str, "digest of the options and code that decide the model"),
    }
