"""RunTracker: what comes of a training, beside its curves."""

from tfx.types.standard_artifacts import Model, ModelEvaluation, ModelRun, PushedModel

from components.component import Component, Input, Output, Parameter
from components.formats.artifacts import Analysis, HtmlReport
from components.run_tracker.executor import Executor
from components.training.options import MlflowOptions


class RunTracker(Component):
    """Add to the training's run on the MLflow server what came of the model: scores, report, card, where it is."""

    EXECUTOR = Executor
    INPUTS = {
        "model_run": Input(ModelRun, "of the Trainer: which run, and what the server may have missed of it"),
        "evaluation": Input(ModelEvaluation, "of the Evaluator"),
        "analysis": Input(Analysis, "of PredictionAnalysis, with the model card"),
        "pushed_model": Input(PushedModel, "of the Pusher"),
        "report": Input(HtmlReport, "of Report"),
        "model": Input(Model, "the model, with `tracking.mlflow.upload_model`", optional=True),
    }
    OUTPUTS = {"tracked": Output(Analysis, "`mlflow.json`: the run, and what kept it from being complete")}
    PARAMETERS = {"mlflow": Parameter(MlflowOptions, "the server")}
