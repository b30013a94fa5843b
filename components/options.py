"""The options of every component: one pydantic model a section of the YAML configuration.

Each component receives its section as JSON, so the cache key of a component holds the options that it reads and no
others. Field descriptions are the configuration reference of the documentation.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Architecture = Literal["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
Split = Literal["train", "eval", "test"]

SPLITS: tuple[Split, ...] = ("train", "eval", "test")
ARCHITECTURES: tuple[Architecture, ...] = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


class Section(BaseModel):
    """A section of the configuration; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        annotation = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and annotation in (int, float, int | None, float | None):
            raise ValueError("Input should be a number")
        return value


class DataOptions(Section):
    """Where the images are and what to make of those that can't be used."""

    path: str | None = Field(None, description="folder, `s3://…` or `gs://…`; null: the sample data")
    labels_csv: str | None = Field(None, description="CSV with the columns `path` and `label`; overrides folder names")
    max_pixels: int = Field(50_000_000, gt=0, description="images with more pixels are not decoded")
    on_bad_image: Literal["quarantine", "error"] = Field("quarantine", description="what an unusable file does")
    near_duplicates: Literal["off", "report", "group"] = Field(
        "report", description="near-duplicates by perceptual hash: ignore, report, or keep in one split"
    )

    @field_validator("near_duplicates", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        return "off" if value is False else value  # YAML 1.1 reads a bare `off` as false


class SplitOptions(Section):
    """How the images are divided; the three shares sum to 1."""

    train: float = Field(0.7, gt=0.0, lt=1.0, description="share of the images to train on")
    eval: float = Field(0.1, gt=0.0, lt=1.0, description="share for early stopping and tuning")
    test: float = Field(0.2, gt=0.0, lt=1.0, description="share that only the evaluation sees")
    seed: int = Field(27, ge=0, description="decides the split and the augmented copies, apart from `seed`")
    group_regex: str | None = Field(
        None, description="first capture in the file name: images that share it stay in one split"
    )

    @field_validator("group_regex")
    @classmethod
    def _captures_something(cls, value: str | None) -> str | None:
        try:
            captures = value is None or re.compile(value).groups > 0
        except re.error as error:
            raise ValueError(f"not a regular expression ({error})") from None
        if not captures:
            raise ValueError("a group in parentheses must capture what keeps images together")
        return value

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> "SplitOptions":
        total = self.train + self.eval + self.test
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"split.train + split.eval + split.test must be 1. Received: {total:g}")
        return self


class BalanceOptions(Section):
    """Which splits are filled up with augmented copies until all classes are equal."""

    splits: tuple[Split, ...] = Field(("train",), description="splits to balance; [] for none")
    global_multiplier: float = Field(1.0, ge=1.0, description="images per class, relative to the largest class")


class AugmentOptions(Section):
    """How an augmented copy is made."""

    pipeline_yaml: str | None = Field(None, description="an `A.Compose` saved by `A.save`; null: the default pipeline")
    encoding: Literal["jpeg", "png"] = Field("jpeg", description="format of the copies")
    jpeg_quality: int = Field(95, ge=1, le=100, description="JPEG quality of the copies")


class ImageOptions(Section):
    """What the model sees."""

    height: int = Field(96, ge=32, description="pixels")
    width: int = Field(96, ge=32, description="pixels")
    channels: Literal[1, 3] = Field(3, description="1: grey, 3: RGB")


class ValidateOptions(Section):
    """What an anomaly in the data does."""

    on_anomaly: Literal["stop", "warn"] = Field("stop", description="stop before training, or go on with a warning")
    schema_path: str | None = Field(
        None, alias="schema", description="a TFDV schema (text) in place of the one made from labels and image options"
    )


class ModelOptions(Section):
    """The network."""

    architecture: Architecture = Field("resnet18", description="which ResNet")
    normalize: bool = Field(True, description="rescale pixels to [0, 1] in the graph")
    dropout: float = Field(0.1, ge=0.0, lt=1.0, description="dropout rate after global average pooling")
    l2: float = Field(0.0, ge=0.0, description="L2 penalty of the kernels; part of the training loss alone")
    zero_init_residual: bool | None = Field(
        None, description="begin with residual blocks that pass their input on; null: in ResNet-50, -101 and -152"
    )
    weights: str | None = Field(None, description="`imagenet`, or a path to .weights.h5, .keras or a SavedModel")
    freeze: bool = Field(False, description="train the head alone, on top of `weights`")

    @model_validator(mode="after")
    def _something_to_freeze(self) -> "ModelOptions":
        if self.freeze and self.weights is None:
            raise ValueError("model.freeze=true keeps model.weights as they are: name some. Received: null")
        return self


class OnlineAugmentOptions(Section):
    """Random changes of each training batch, anew in every epoch."""

    flip: bool = Field(True, description="mirror half of the images")
    rotation: float = Field(15.0, ge=0.0, le=180.0, description="degrees to either side")
    zoom: float = Field(0.15, ge=0.0, lt=1.0, description="relative change of scale to either side")
    shift: float = Field(0.08, ge=0.0, lt=1.0, description="translation relative to the image's size")
    contrast: float = Field(0.4, ge=0.0, lt=1.0, description="relative change of contrast and of brightness")


class TrainOptions(Section):
    """How the network is trained."""

    epochs: int = Field(34, ge=1, description="epochs at most")
    batch_size: int = Field(64, ge=1, description="images a step")
    optimizer: Literal["sgd", "adam", "adamw"] = Field("adamw", description="optimizer")
    learning_rate: float = Field(3e-3, gt=0.0, description="peak learning rate")
    momentum: float = Field(0.9, ge=0.0, lt=1.0, description="of SGD")
    nesterov: bool = Field(False, description="Nesterov's momentum, of SGD")
    weight_decay: float = Field(0.05, ge=0.0, description="decoupled weight decay, of sgd and adamw")
    schedule: Literal["cosine", "plateau", "constant"] = Field("cosine", description="of the learning rate")
    warmup_epochs: int = Field(2, ge=0, description="epochs of linear warm-up before the cosine")
    patience: int = Field(10, ge=1, description="epochs without improvement on eval before stopping")
    label_smoothing: Fraction = Field(0.1, description="label smoothing")
    mixup: float = Field(0.0, ge=0.0, description="alpha of mixup; 0: none")
    class_weights: bool = Field(False, description="weigh classes by the inverse of their frequency")
    augment: OnlineAugmentOptions = OnlineAugmentOptions()
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="compute precision; auto: what the device has units for"
    )
    deterministic: bool = Field(True, description="bitwise equal results on the same machine and stack")

    @model_validator(mode="after")
    def _warmup_fits(self) -> "TrainOptions":
        if self.schedule == "cosine" and self.warmup_epochs >= self.epochs > 1:
            raise ValueError(
                f"train.warmup_epochs must be below train.epochs. Received: {self.warmup_epochs} of {self.epochs}"
            )
        return self

    def with_epochs(self, epochs: int) -> "TrainOptions":
        """Return these options for a run that sets its epochs alone: a short one must not fail for its warm-up."""
        if epochs == self.epochs:
            return self
        warmup = min(self.warmup_epochs, epochs // 2)
        return TrainOptions.model_validate(self.model_dump() | {"epochs": epochs, "warmup_epochs": warmup})


class TunerOptions(Section):
    """Which architectures are tried before training, each under the same budget."""

    enabled: bool = Field(False, description="run the Tuner")
    architectures: tuple[Architecture, ...] = Field(ARCHITECTURES, min_length=1, description="architectures to try")
    epochs: int = Field(12, ge=1, description="epochs a trial")
    search: dict[str, list[Any]] = Field(
        default_factory=dict, description="more to try, e.g. {train.learning_rate: [0.001, 0.003]}"
    )


class EvaluateOptions(Section):
    """What a model must reach to be pushed, and what is measured of it."""

    min_accuracy: float | None = Field(
        None,
        ge=0.0,
        le=1.0,
        description="least test accuracy; null: the majority class's share + 0.05, at most halfway to 1",
    )
    min_gain: float = Field(
        0.0, ge=-1.0, le=1.0, description="least gain in accuracy over the pushed model, on images new to both"
    )
    calibrate: bool = Field(True, description="fit a temperature on eval and build it into the model")
    bootstrap: int = Field(1000, ge=0, description="resamples for the 95 % intervals")


class PushOptions(Section):
    """Where a blessed model goes."""

    destination: str | None = Field(None, description="folder, `s3://…` or `gs://…`; null: WORKDIR/serving_model")


class WandbOptions(Section):
    """Weights & Biases."""

    enabled: bool = Field(False, description="log to Weights & Biases")
    project: str | None = Field(None, description="project")
    entity: str | None = Field(None, description="team or user")
    name: str | None = Field(None, description="name of the run")


class TrackingOptions(Section):
    """Where training is logged."""

    tensorboard: bool = Field(True, description="TensorBoard logs in `model_run`")
    wandb: WandbOptions = WandbOptions()


class BeamOptions(Section):
    """What runs the Beam stages."""

    runner: str | None = Field(None, description="a Beam runner's name; null: the one in this process or its workers")
    workers: int | None = Field(None, ge=1, description="worker processes; null: one a core")
    options: tuple[str, ...] = Field((), description="further Beam options, e.g. [--flink_master=host:8081]")
