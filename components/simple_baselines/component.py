"""SimpleBaselines: what a model has to beat, from the images alone."""

from components.component import Component, Input, Output
from components.formats.artifacts import Analysis, ImageDataset
from components.simple_baselines.executor import Executor


class SimpleBaselines(Component):
    """Measure on test what one answer to everything and a linear model on HOG features reach."""

    EXECUTOR = Executor
    INPUTS = {
        "dataset": Input(ImageDataset, "of SplitBalanceAugment"),
        "labels": Input(Analysis, "of TFRecordConverter"),
    }
    OUTPUTS = {"baselines": Output(Analysis, "`baselines.json`, the linear model's predictions of test")}
