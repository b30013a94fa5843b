"""ImageFolds: train and eval divided for cross-fitting."""

from tfx.types.standard_artifacts import Examples

from components.component import Component, Input, Output, Parameter
from components.folds.executor import Executor
from components.formats.artifacts import Analysis


class ImageFolds(Component):
    """Divide train and eval into grouped, stratified folds; copies go with their source, test stays out."""

    EXECUTOR = Executor
    INPUTS = {"all_examples": Input(Examples, "of TFRecordConverter")}
    OUTPUTS = {
        "examples": Output(Examples, "`Split-fold-<n>-<half>`, of copies `…-copies`, and the label map"),
        "folds": Output(Analysis, "`folds.parquet`: id, split, class and fold of every original"),
    }
    PARAMETERS = {
        "count": Parameter(int, "how many folds"),
        "split_seed": Parameter(int, "decides which image is in which"),
    }
