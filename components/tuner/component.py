"""ImageTuner: TFX's Tuner over architectures (and further options), with a leaderboard."""

from tfx.types.standard_artifacts import Examples, HyperParameters, TunerResults

from components.component import Component, Input, Output, Parameter
from components.images.options import ImageOptions
from components.training.options import ModelOptions, TrainOptions
from components.tuner.executor import TUNER_FN, Executor
from components.tuner.options import TunerOptions


class ImageTuner(Component):
    """Train the listed architectures by successive halving, scored on the split eval."""

    EXECUTOR = Executor
    FURTHER_CODE = (TUNER_FN.rpartition(".")[0],)
    INPUTS = {"examples": Input(Examples, "with splits train and eval, and the label map")}
    OUTPUTS = {
        "best_hyperparameters": Output(HyperParameters, "for the Trainer, with the state of their training so far"),
        "tuner_results": Output(TunerResults, "`leaderboard.json`"),
    }
    PARAMETERS = {
        "model_options": Parameter(ModelOptions, "the network, but for what is searched"),
        "train_options": Parameter(TrainOptions, "how it is trained"),
        "image_options": Parameter(ImageOptions, "what the network sees"),
        "tuner_options": Parameter(TunerOptions, "what is tried"),
        "epochs": Parameter(int, "overrides `train_options`", optional=True),
        "seed": Parameter(int, "of weights, shuffling, dropout and augmentation"),
        "checkpoint_dir": Parameter(str, "folder for the state of interrupted searches; empty for none"),
    }
