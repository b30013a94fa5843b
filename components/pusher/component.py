"""ImagePusher: a blessed model goes to where it is served from."""

from tfx.types.standard_artifacts import Model, ModelBlessing, PushedModel

from components.component import Component, Input, Output, Parameter
from components.formats.artifacts import Analysis
from components.pusher.executor import Executor


class ImagePusher(Component):
    """Copy a blessed model, its card, metrics, origin and reference to `<destination>/<version>/`."""

    EXECUTOR = Executor
    INPUTS = {
        "model": Input(Model, "the trained model"),
        "model_blessing": Input(ModelBlessing, "of the Evaluator"),
        "analysis": Input(Analysis, "of PredictionAnalysis, with the model card"),
        "reference": Input(Analysis, "of DriftReference"),
    }
    OUTPUTS = {"pushed_model": Output(PushedModel, "says where the model is, and as which version")}
    PARAMETERS = {
        "destination": Parameter(str, "folder, `s3://…` or `gs://…`"),
        "recipe": Parameter(str, "digest of the options and code that decide the model"),
        "folder_digest": Parameter(str, "of the data folder; empty where no runner has looked at it"),
        "lost": Parameter(str, "a version that was pushed and is gone: another one is another run"),
        "version": Parameter(str, "under which to push, unless a newer one stands; else the time", optional=True),
    }
