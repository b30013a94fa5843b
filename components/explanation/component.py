"""ModelExplanation: what a model looks at, and where images lie."""

from tfx.types.standard_artifacts import Model

from components.component import Component, Input, Output, Parameter
from components.explanation.executor import Executor
from components.explanation.options import ExplainOptions
from components.formats.artifacts import Analysis, ImageDataset


class ModelExplanation(Component):
    """Make heat maps, a map of the test images, neighbours of mistakes, and find near-duplicates across splits."""

    EXECUTOR = Executor
    INPUTS = {
        "model": Input(Model, "of the Trainer, with the signatures `embed` and `explain`"),
        "dataset": Input(ImageDataset, "with splits; the originals are shown to the model once more"),
        "analysis": Input(Analysis, "of PredictionAnalysis, for the mistakes and the predictions of test"),
    }
    OUTPUTS = {"explanation": Output(Analysis, "`explanation.json`, with the pictures; `near_duplicates.parquet`")}
    PARAMETERS = {
        "options": Parameter(ExplainOptions, "how the map is made"),
        "seed": Parameter(int, "of what is random in the map"),
    }
