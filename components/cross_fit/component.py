"""CrossFit: what the folds' models say of the images that they weren't trained on."""

from tfx.types.standard_artifacts import ModelRun

from components.component import Component, Input, Output
from components.cross_fit.executor import Executor
from components.formats.artifacts import Analysis
from components.formats.folds import MOST_FOLDS, fold_input


class CrossFit(Component):
    """Gather the folds' predictions: of every original of train and eval, by a model that hasn't seen it."""

    EXECUTOR = Executor
    INPUTS = {
        "folds": Input(Analysis, "of ImageFolds"),
        "labels": Input(Analysis, "of TFRecordConverter"),
        **{
            fold_input("model_run", fold): Input(ModelRun, "of a fold's Trainer; one input a fold", optional=True)
            for fold in range(1, MOST_FOLDS + 1)
        },
    }
    OUTPUTS = {
        "cross_fit": Output(Analysis, "`cross_fit.json`: scores by fold, mean and spread; `probabilities.parquet`")
    }
