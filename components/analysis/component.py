"""PredictionAnalysis: intervals, calibration, mistakes, suspicious labels, and the model card."""

from tfx.types.standard_artifacts import ModelEvaluation, ModelRun

from components.analysis.executor import Executor
from components.analysis.options import AnalysisOptions
from components.component import Component, Input, Output, Parameter
from components.formats.artifacts import Analysis, ImageDataset
from components.images.options import ImageOptions


class PredictionAnalysis(Component):
    """Compute from the predictions of eval and test what goes beyond TFMA."""

    EXECUTOR = Executor
    INPUTS = {
        "dataset": Input(ImageDataset, "for the images' classes and groups, and for small pictures of some"),
        "labels": Input(Analysis, "of TFRecordConverter"),
        "model_run": Input(ModelRun, "for `training.json`, what the model was made from, the predictions of eval"),
        "evaluation": Input(ModelEvaluation, "for the predictions of test, and what was found of slices"),
        "cross_fit": Input(Analysis, "of CrossFit, for predictions of train and eval", optional=True),
        "ensemble": Input(Analysis, "of Ensemble, where that is the model", optional=True),
    }
    OUTPUTS = {"analysis": Output(Analysis, "`analysis.json`, `predictions.parquet`, `pictures.json`, the model card")}
    PARAMETERS = {
        "options": Parameter(AnalysisOptions, "what is measured"),
        "image": Parameter(ImageOptions, "what the model sees, for the card"),
        "seed": Parameter(int, "decides the bootstrap's resamples"),
        "recipe": Parameter(str, "digest of the options and code that decide the model"),
    }
