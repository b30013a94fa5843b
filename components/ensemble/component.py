"""Ensemble: the folds' models as one."""

from tfx.types.standard_artifacts import Model

from components.component import Component, Input, Output
from components.ensemble.executor import Executor
from components.formats.artifacts import Analysis
from components.formats.folds import MOST_FOLDS, fold_input


class Ensemble(Component):
    """Export one model that answers with the mean of the folds' calibrated probabilities."""

    EXECUTOR = Executor
    INPUTS = {
        fold_input("model", fold): Input(Model, "of a fold's Trainer; one input a fold", optional=True)
        for fold in range(1, MOST_FOLDS + 1)
    }
    OUTPUTS = {
        "model": Output(Model, "a SavedModel in `Format-Serving`, with the signatures of its members"),
        "ensemble": Output(Analysis, "`ensemble.json`: members, parameters, temperatures, megabytes"),
    }
