"""The configuration of a run: a section a component."""

import hashlib
import json
from typing import Any

from pydantic import Field, ValidationError, model_validator

from components.evaluator.options import EvaluateOptions
from components.explanation.options import ExplainOptions
from components.images.options import MIN_SIDE, ImageOptions
from components.ingest.options import DataOptions
from components.pusher.options import PushOptions
from components.report.options import ReportOptions
from components.split_balance_augment.options import AugmentOptions, BalanceOptions, SplitOptions
from components.tools.section import Section
from components.training.options import (
    AnswerOptions,
    Architecture,
    Imbalance,
    ModelOptions,
    TrackingOptions,
    TrainOptions,
    check_fine_tuning,
)
from components.tuner.options import TunerOptions
from components.validation.options import ValidateOptions
from components.work.options import BeamOptions
from pipeline.kubeflow.options import KubeflowOptions
from pipeline.notice.options import NotifyOptions

# What makes up for classes that balancing doesn't fill up; measured in docs/results.md.
BALANCED: Imbalance = "logit_adjustment"

_NOT_SEARCHED = {
    "model.architecture": "tuner.architectures lists what to try",
    "train.epochs": "all that is tried has the same epochs",
}


class Config(Section):
    """All options of a run, a section a component."""

    seed: int = Field(0, ge=0, lt=2**32, description="training; the split and the copies follow `split.seed`")
    data: DataOptions = DataOptions()
    split: SplitOptions = SplitOptions()
    balance: BalanceOptions = BalanceOptions()
    augment: AugmentOptions = AugmentOptions()
    image: ImageOptions = ImageOptions()
    validation: ValidateOptions = Field(ValidateOptions(), alias="validate")
    model: ModelOptions = ModelOptions()
    train: TrainOptions = TrainOptions()
    tuner: TunerOptions = TunerOptions()
    evaluate: EvaluateOptions = EvaluateOptions()
    explain: ExplainOptions = ExplainOptions()
    push: PushOptions = PushOptions()
    report: ReportOptions = ReportOptions()
    tracking: TrackingOptions = TrackingOptions()
    beam: BeamOptions = BeamOptions()
    notify: NotifyOptions = NotifyOptions()
    kubeflow: KubeflowOptions = KubeflowOptions()

    def files(self) -> list[str]:
        """Return the files and folders that the options of all sections name."""
        sections = (value for _, value in self if isinstance(value, Section))
        return [path for section in sections for path in section.files()]

    @model_validator(mode="after")
    def _imagenet_weights_fit(self) -> "Config":
        if self.model.weights != "imagenet":
            return self
        tried = self.architectures()
        key = "tuner.architectures" if self.tuner.enabled else "model.architecture"
        if small := [name for name in tried if name in ("resnet18", "resnet34")]:
            raise ValueError(
                f"model.weights=imagenet exist for resnet50, resnet101, resnet152. Received: {key}={', '.join(small)}"
            )
        if self.model.normalize or self.image.channels != 3:
            raise ValueError(
                "model.weights=imagenet requires image.channels=3, and model.normalize=false, since the weights have "
                "their own normalization. "
                f"Received: model.normalize={self.model.normalize}, image.channels={self.image.channels}"
            )
        return self

    @model_validator(mode="after")
    def _standardization_fits(self) -> "Config":
        mean, channels = self.model.mean, self.image.channels
        if mean is not None and len(mean) != channels:
            raise ValueError(
                f"model.mean and model.std require a number for each of image.channels={channels}. "
                f"Received: model.mean={mean}, model.std={self.model.std}"
            )
        return self

    @model_validator(mode="after")
    def _something_to_fine_tune(self) -> "Config":
        check_fine_tuning(self.model, self.train)
        return self

    @model_validator(mode="after")
    def _ensemble_has_members(self) -> "Config":
        if self.push.ensemble and not self.evaluate.each_fold():
            raise ValueError(
                "push.ensemble=true averages the models of evaluate.folds, of which there must be at least 2. "
                f"Received: evaluate.folds={self.evaluate.folds}"
            )
        return self

    @model_validator(mode="after")
    def _one_model_has_thresholds(self) -> "Config":
        if self.push.ensemble and self.evaluate.target_precision is not None:
            raise ValueError(
                "evaluate.target_precision is kept by one model's threshold, and push.ensemble=true averages several: "
                f"set one of them. Received: evaluate.target_precision={self.evaluate.target_precision}"
            )
        return self

    @model_validator(mode="after")
    def _tried_within_the_epochs(self) -> "Config":
        if self.tuner.enabled and (self.tuner.epochs or 0) > self.train.epochs:
            raise ValueError(
                "tuner.epochs must be at most train.epochs, of which they are the first. "
                f"Received: {self.tuner.epochs} of {self.train.epochs}"
            )
        return self

    @model_validator(mode="after")
    def _sizes_make_a_difference(self) -> "Config":
        smallest = min((size for _, size in self.train.size_schedule), default=1.0)
        side = max(self.image.height, self.image.width)
        if self.train.size_schedule and max(MIN_SIDE, round(side * smallest)) >= side:
            raise ValueError(
                f"train.size_schedule has no effect: no side is made smaller than {MIN_SIDE} pixels. "
                f"Received: images of {self.image.height}×{self.image.width}"
            )
        return self

    @model_validator(mode="after")
    def _searched_options_exist(self) -> "Config":
        sections: dict[str, Section] = {"model": self.model, "train": self.train}
        if {"train.imbalance", "train.class_weights"} <= self.tuner.search.keys():
            raise ValueError(
                "tuner.search: train.class_weights is the old name of train.imbalance=effective: leave it out. "
                f"Received: {', '.join(self.tuner.search)}"
            )
        for key, values in self.tuner.search.items():
            section, _, name = key.partition(".")
            if section not in sections or name not in type(sections[section]).model_fields:
                raise ValueError(f"tuner.search takes options of model and train. Received: {key}")
            if key in _NOT_SEARCHED:
                raise ValueError(f"tuner.search can't take {key}: {_NOT_SEARCHED[key]}")
            if not values:
                raise ValueError(f"tuner.search requires values to try. Received: {key}=[]")
            checked = []
            for value in values:
                try:
                    options = type(sections[section]).model_validate(sections[section].model_dump() | {name: value})
                    checked.append(getattr(options, name))
                except ValidationError as error:
                    message = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
                    raise ValueError(f"tuner.search: {key}: {message}. Received: {value!r}") from None
            if len({type(value) for value in checked}) > 1 or not isinstance(checked[0], bool | int | float | str):
                raise ValueError(
                    f"tuner.search: {key}: KerasTuner requires numbers or texts, one kind. Received: {values}"
                )
            self.tuner.search[key] = list(dict.fromkeys(checked))  # 0 of a float option is 0.0 now
        return self

    @property
    def flip_average(self) -> bool:
        """Whether the model answers for an image and its mirror image: by default if it was trained on both."""
        wanted = self.evaluate.flip_average
        return self.train.augment.flip if wanted is None else wanted

    @property
    def explained(self) -> bool:
        """Whether what the model looks at is shown: of the average of several it can't be."""
        return self.explain.enabled and not self.push.ensemble

    @property
    def training(self) -> TrainOptions:
        """The section `train` with what `imbalance` is by default: it makes up for what balancing leaves, if asked to.

        An old name that is set, or tried by the Tuner, says it already.
        """
        said = self.train.imbalance or self.train.class_weights or "train.class_weights" in self.tuner.search
        if said or "train" not in self.balance.splits:
            return self.train
        return self.train.model_copy(update={"imbalance": BALANCED})

    @property
    def answer(self) -> AnswerOptions:
        """When the exported model answers, as the Trainer takes it: without a target, the rest decides nothing."""
        wanted = self.evaluate
        if wanted.target_precision is None:
            return AnswerOptions()
        return AnswerOptions(
            precision=wanted.target_precision, confidence=wanted.target_confidence, per_class=wanted.target_per_class
        )

    def architectures(self) -> list[Architecture]:
        """Return those that are trained."""
        return list(self.tuner.architectures) if self.tuner.enabled else [self.model.architecture]

    def as_dict(self) -> dict[str, Any]:
        """Return the configuration as plain values, keyed as in the YAML file."""
        return self.model_dump(mode="json", by_alias=True)

    def digest(self) -> str:
        """Return twelve hex digits that differ for any other configuration."""
        canonical = json.dumps(self.as_dict(), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]
