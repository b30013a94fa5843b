"""PredictionAnalysis: intervals, calibration, mistakes, suspicious labels, and the model card."""

from tfx.types.standard_artifacts import Examples, Model, ModelRun

from components.analysis.executor import Executor
from components.analysis.options import AnalysisOptions
from components.component import Component, Input, Output, Parameter
from components.formats.artifacts import Analysis, ImageDataset
from components.images.options import ImageOptions


class PredictionAnalysis(Component):
    """Predict eval and test once more and compute what goes beyond TFMA."""

    EXECUTOR = Executor
    INPUTS = {
        "dataset": Input(ImageDataset, "for its counts"),
        "examples": Input(Examples, "with our label map"),
        "model": Input(Model, "the trained model"),
        "model_run": Input(ModelRun, "for `training.json`"),
    }
    OUTPUTS = {"analysis": Output(Analysis, "`analysis.json`, `predictions.parquet`, the model card")}
    PARAMETERS = {
        "options": Parameter(AnalysisOptions, "what is measured"),
        "image": Parameter(ImageOptions, "what the model sees, for the card"),
        "seed": Parameter(int, "decides the bootstrap's resamples"),
        "recipe": Parameter(str, "digest of the options and code that decide the model"),
    }
