"""ModelExport: the model for runtimes without TensorFlow."""

from tfx.types.standard_artifacts import Model, ModelEvaluation

from components.component import Component, Input, Output, Parameter
from components.export.executor import Executor
from components.export.options import ExportOptions
from components.formats.artifacts import Analysis, ImageDataset


class ModelExport(Component):
    """Write the model as ONNX and LiteRT, and run each file on the test split by its own runtime."""

    EXECUTOR = Executor
    INPUTS = {
        "model": Input(Model, "with the signature `serve_pixels`"),
        "dataset": Input(ImageDataset, "with splits: test to compare on, images of train to calibrate int8"),
        "evaluation": Input(ModelEvaluation, "of the Evaluator: what the SavedModel says of test"),
    }
    OUTPUTS = {
        "exports": Output(
            Analysis, "`model.onnx`, `model.tflite`, `model.int8.tflite`, as asked for, and `exports.json`: agreement"
        )
    }
    PARAMETERS = {"options": Parameter(ExportOptions, "formats, and how much they must agree")}
