"""ImageTrainer: TFX's Trainer with the options of this pipeline as parameters.

Scalars that stand in a section too are parameters of their own, so that a run of a compiled Kubeflow pipeline can set
them; a runtime parameter inside a JSON text would be frozen at compile time.
"""

from typing import Any

from tfx.types.standard_artifacts import Examples, HyperParameters, Model, ModelRun

from components.component import Component, Input, Output, Parameter
from components.formats.nodes import TRAINER, of_fold
from components.images.options import ImageOptions
from components.trainer.executor import RUN_FN, Executor
from components.training.options import AnswerOptions, ModelOptions, TrackingOptions, TrainOptions


class ImageTrainer(Component):
    """Train the chosen ResNet on the split train, watch eval, calibrate, and export a SavedModel.

    With a fold, do that on the other folds, and predict it.
    """

    EXECUTOR = Executor
    FURTHER_CODE = (RUN_FN.rpartition(".")[0],)
    INPUTS = {
        "examples": Input(Examples, "with splits train and eval, or by fold, and the label map"),
        "hyperparameters": Input(HyperParameters, "the Tuner's choice; overrides everything else", optional=True),
    }
    OUTPUTS = {
        "model": Output(Model, "a SavedModel in `Format-Serving`"),
        "model_run": Output(
            ModelRun,
            "`training.json`, what the model was made from, the predictions of eval or of the fold, TensorBoard logs",
        ),
    }
    PARAMETERS = {
        "model_options": Parameter(ModelOptions, "the network"),
        "train_options": Parameter(TrainOptions, "how it is trained"),
        "image_options": Parameter(ImageOptions, "what it sees"),
        "tracking_options": Parameter(TrackingOptions, "where the training is logged"),
        "answer_options": Parameter(AnswerOptions, "when the exported model is sure enough to answer"),
        "calibrate": Parameter(int, "1: fit a temperature on eval and build it into the model"),
        "flip_average": Parameter(int, "1: average the logits of each image and its mirror image, and export that"),
        "epochs": Parameter(int, "overrides `train_options`", optional=True),
        "architecture": Parameter(str, "overrides `model_options`", optional=True),
        "seed": Parameter(int, "of weights, shuffling, dropout and augmentation"),
        "fold": Parameter(int, "which fold of `examples` not to train on but to predict, from 1", optional=True),
        "checkpoint_dir": Parameter(str, "folder for the state of interrupted trainings; empty for none"),
    }

    def __init__(self, **given: Any) -> None:
        """Make the component, of a fold under a name that says so."""
        super().__init__(**given)
        if (fold := given.get("fold")) is not None:
            self.with_id(of_fold(TRAINER, fold))
