"""DriftReference: what is kept with a model, so that what it is asked later can be held against its test split."""

from tfx.types.standard_artifacts import Model

from components.component import Component, Input, Output, Parameter
from components.drift_reference.executor import Executor
from components.formats.artifacts import Analysis, ImageDataset
from components.images.options import ImageOptions


class DriftReference(Component):
    """Note what the model says and sees of test's originals, 2,000 at most, and what these look like."""

    EXECUTOR = Executor
    INPUTS = {
        "model": Input(Model, "the trained model, with the signature `embed`"),
        "dataset": Input(ImageDataset, "of SplitBalanceAugment, for the images of test"),
    }
    OUTPUTS = {"reference": Output(Analysis, "`reference.parquet`, a row an image")}
    PARAMETERS = {
        "image": Parameter(ImageOptions, "what the model sees"),
        "group_on": Parameter(str, "`name` or `path`: what `group_regex` is searched in"),
        "group_regex": Parameter(str, "by which images are grouped, here and when they are served", optional=True),
    }
