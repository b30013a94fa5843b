"""BatchPredict: what the pushed model says of a folder, a table or records."""

from tfx.types.standard_artifacts import PushedModel

from components.batch_predict.executor import Executor
from components.batch_predict.options import PredictOptions
from components.component import Component, Input, Output, Parameter
from components.formats.artifacts import Analysis
from components.work.options import BeamOptions


class BatchPredict(Component):
    """Have the pushed model predict many images, through Beam, to Parquet, shard by shard."""

    EXECUTOR = Executor
    INPUTS = {"pushed_model": Input(PushedModel, "of the Pusher; where nothing was pushed, nothing is predicted")}
    OUTPUTS = {
        "predictions": Output(Analysis, "`predictions-….parquet`, `quarantine-….parquet` and `predictions.json`"),
    }
    PARAMETERS = {
        "options": Parameter(PredictOptions, "what is predicted, and where the predictions go"),
        "max_pixels": Parameter(int, "images with more are not decoded"),
        "data_digest": Parameter(str, "of what is predicted; empty where no runner has looked at it"),
        "beam": Parameter(BeamOptions, "what runs it; the environment's `PIPELINE_BEAM` wins"),
    }
