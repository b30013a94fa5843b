"""The part of the pipeline that trains once more for each fold: which of its components feeds which."""

from dataclasses import dataclass, field
from typing import Any

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.types.channel import BaseChannel

from components.cross_fit.component import CrossFit
from components.ensemble.component import Ensemble
from components.folds.component import ImageFolds
from components.formats.folds import fold_input
from components.trainer.component import ImageTrainer
from pipeline.config import Config


@dataclass(frozen=True)
class CrossFitting:
    """Its components, and what others take of them.

    Attributes:
        components: in the order of the data; none without folds.
        trainers: those of them that train.
        found: what PredictionAnalysis takes, by input.
        model: the average of the folds' models; None where it isn't asked for.
    """

    components: list[BaseComponent] = field(default_factory=list)
    trainers: list[ImageTrainer] = field(default_factory=list)
    found: dict[str, BaseChannel] = field(default_factory=dict)
    model: BaseChannel | None = None


def cross_fitting(config: Config, training: dict[str, Any], labels: dict[str, Any]) -> CrossFitting:
    """Return what the options of folds and ensemble ask for.

    Args:
        config: the configuration.
        training: what the Trainer takes.
        labels: the output of TFRecordConverter.
    """
    folds = config.evaluate.each_fold()
    if not folds:
        return CrossFitting()
    # Divides train and eval; nothing behind it is given test.
    divider = ImageFolds(all_examples=training["examples"], count=len(folds), split_seed=config.split.seed)
    # One for each fold, which it predicts, trained on the others; none waits for another.
    of_folds = {**training, "examples": divider.outputs["examples"]}
    trainers = [ImageTrainer(**of_folds, fold=fold) for fold in folds]
    # Their predictions as one table, with scores by fold.
    gathered = CrossFit(folds=divider.outputs["folds"], **labels, **_by_fold("model_run", trainers))
    components = [divider, *trainers, gathered]
    found = {"cross_fit": gathered.outputs["cross_fit"]}
    if not config.push.ensemble:
        return CrossFitting(components, trainers, found)
    # Their models as one, to be judged and pushed in place of the Trainer's.
    ensemble = Ensemble(**_by_fold("model", trainers))
    found["ensemble"] = ensemble.outputs["ensemble"]
    return CrossFitting([*components, ensemble], trainers, found, ensemble.outputs["model"])


def _by_fold(output: str, trainers: list[ImageTrainer]) -> dict[str, BaseChannel]:
    """Return an output of each fold's Trainer, by the input that takes it."""
    return {fold_input(output, fold): trainer.outputs[output] for fold, trainer in enumerate(trainers, 1)}
