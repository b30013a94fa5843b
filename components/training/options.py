"""Options of training: the network, how it is trained, where that is logged."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from components.models.torch_weights import SUFFIX, refuse_pickle
from components.tools.section import FILE, Section

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Architecture = Literal["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
Imbalance = Literal["none", "effective", "sqrt", "logit_adjustment"]

PATIENCE = 10  # epochs
ARCHITECTURES: tuple[Architecture, ...] = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


class ModelOptions(Section):
    """The network."""

    architecture: Architecture = Field("resnet18", description="which ResNet")
    stem: Literal["auto", "imagenet", "small", "tiny"] = Field(
        "auto",
        description="the first layers: `imagenet` (7×7 and a pool, to a quarter of the size), `small` (3×3, to half; "
        "twice the time) or `tiny` (3×3; six times the time); auto: as `weights` have it, else small below 48 pixels",
    )
    normalize: bool = Field(True, description="rescale pixels to [0, 1] in the graph")
    dropout: float = Field(0.1, ge=0.0, lt=1.0, description="dropout rate after global average pooling")
    l2: float = Field(0.0, ge=0.0, description="L2 penalty of the kernels; part of the training loss alone")
    zero_init_residual: bool | None = Field(
        None, description="begin with residual blocks that pass their input on; null: in ResNet-50, -101 and -152"
    )
    weights: str | None = Field(
        None,
        description="`imagenet`, or a path to .safetensors of PyTorch, .weights.h5, .keras or a SavedModel",
        json_schema_extra=FILE,
    )
    freeze: bool = Field(False, description="train the head alone, on top of `weights`")
    mean: tuple[float, ...] | None = Field(
        None,
        description="of each channel, subtracted from pixels in [0, 1]; null: as `weights` expect, which of "
        ".safetensors for RGB is ImageNet's, otherwise none",
    )
    std: tuple[float, ...] | None = Field(None, description="of each channel, divided by after `mean`; null: likewise")
    bottleneck_stride: Literal["first", "middle"] | None = Field(
        None,
        description="on a bottleneck's 1×1 convolution, as Keras does, or on its 3×3, as PyTorch does; null: as "
        "`weights` expect, which of .safetensors is `middle`, otherwise `first`",
    )

    def files(self) -> list[str]:
        """Return the weights, unless they are ImageNet's."""
        return [path for path in super().files() if path != "imagenet"]

    def conventions(self) -> dict[str, Any]:
        """Return what is said of them here; the rest follows from the weights (`components.models.pretrained`)."""
        said = {name: getattr(self, name) for name in ("mean", "std", "bottleneck_stride")}
        return said | {"stem": None if self.stem == "auto" else self.stem}

    @field_validator("weights")
    @classmethod
    def _no_pickle(cls, weights: str | None) -> str | None:
        if weights is not None:
            refuse_pickle(weights)
        return weights

    @model_validator(mode="after")
    def _standardization_fits(self) -> "ModelOptions":
        received = f"Received: model.mean={self.mean}, model.std={self.std}, model.normalize={self.normalize}"
        if (self.mean is None) != (self.std is None) or len(self.mean or ()) != len(self.std or ()):
            raise ValueError(f"model.mean and model.std go together, a number each for every channel. {received}")
        if self.mean is not None and self.weights == "imagenet":
            raise ValueError(
                f"model.weights=imagenet have their own normalization: leave out model.mean and model.std. {received}"
            )
        of_torch = self.weights is not None and self.weights.endswith(SUFFIX)
        if not self.normalize and (self.mean is not None or of_torch):
            what = "model.mean and model.std are" if self.mean is not None else f"model.weights={self.weights} is"
            raise ValueError(f"{what} for pixels in [0, 1], which requires model.normalize=true. {received}")
        if not all(0.0 <= value <= 1.0 for value in self.mean or ()) or not all(
            0.0 < value <= 1.0 for value in self.std or ()
        ):
            raise ValueError(
                "model.mean must be in [0, 1] and model.std in (0, 1], since pixels are: divide what refers to 0–255 "
                f"by 255. {received}"
            )
        return self

    @model_validator(mode="after")
    def _stem_fits_the_weights(self) -> "ModelOptions":
        of_imagenet = self.weights is not None and (self.weights == "imagenet" or self.weights.endswith(SUFFIX))
        if of_imagenet and self.stem not in ("auto", "imagenet"):
            raise ValueError(
                f"model.weights={self.weights} are of a network with model.stem=imagenet: leave it at auto. "
                f"Received: model.stem={self.stem}"
            )
        return self

    @model_validator(mode="after")
    def _something_to_freeze(self) -> "ModelOptions":
        if self.freeze and self.weights is None:
            raise ValueError("model.freeze=true keeps model.weights as they are: name some. Received: null")
        return self


class OnlineAugmentOptions(Section):
    """Random changes of each training batch, different in every epoch."""

    flip: bool = Field(True, description="mirror each image in every other epoch")
    rotation: float = Field(8.0, ge=0.0, le=180.0, description="degrees to either side")
    zoom: float = Field(0.08, ge=0.0, lt=1.0, description="relative change of scale to either side")
    shift: float = Field(0.04, ge=0.0, lt=1.0, description="translation relative to the image's size")
    contrast: float = Field(0.2, ge=0.0, lt=1.0, description="relative change of contrast and of brightness")


class TrainOptions(Section):
    """How the network is trained."""

    epochs: int = Field(20, ge=1, description="epochs at most")
    batch_size: int = Field(32, ge=1, description="images a step")
    optimizer: Literal["sgd", "adam", "adamw"] = Field("adamw", description="optimizer")
    learning_rate: float = Field(3e-3, gt=0.0, description="peak learning rate")
    momentum: float = Field(0.9, ge=0.0, lt=1.0, description="of SGD")
    beta_2: float = Field(
        0.99, gt=0.0, lt=1.0, description="of the squared gradients' mean in adam and adamw; 0.999 for long trainings"
    )
    nesterov: bool = Field(False, description="Nesterov's momentum, of SGD")
    weight_decay: float = Field(0.05, ge=0.0, description="decoupled weight decay, of sgd and adamw")
    schedule: Literal["cosine", "plateau", "constant"] = Field("cosine", description="of the learning rate")
    warmup_epochs: int = Field(1, ge=0, description="epochs of linear warm-up before the cosine")
    head_epochs: int = Field(
        0, ge=0, description="the first of the epochs, in which the head alone learns, on top of `model.weights`"
    )
    layer_decay: float = Field(
        1.0,
        gt=0.0,
        le=1.0,
        description="rate of each of conv5, conv4, …, conv1 relative to what follows it; 1: alike",
    )
    size_schedule: tuple[tuple[Fraction, Fraction], ...] = Field(
        (),
        description="until which share of the epochs to train on images of which relative size, such as "
        "`[[0.8, 0.67]]`; the rest, and all that judges, is of full size",
    )
    patience: int | None = Field(
        None,
        ge=1,
        description="epochs without improvement on eval before stopping; null: 10, but none with the cosine schedule, "
        "whose last epochs are its best",
    )
    label_smoothing: Fraction = Field(0.1, description="label smoothing")
    mixup: float = Field(0.0, ge=0.0, description="alpha of mixup; 0: none")
    imbalance: Imbalance | None = Field(
        None,
        description="how the loss makes up for classes of few images: weights by their `effective` number, by the "
        "inverse square root (`sqrt`) of their number, or `logit_adjustment`, which takes all for equally frequent; "
        "null: logit_adjustment where `balance.splits` has train, for what copies don't fill up, otherwise none",
    )
    effective_beta: float = Field(
        0.99, gt=0.0, lt=1.0, description="β of `effective`: 1 / (1 - β) images are as good as any number of them"
    )
    logit_tau: float = Field(1.0, gt=0.0, description="τ of `logit_adjustment`; 1: classes count alike, less: less so")
    class_weights: bool = Field(False, description="old name of `imbalance: effective`")
    augment: OnlineAugmentOptions = OnlineAugmentOptions()
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="compute precision; auto: what the device has units for"
    )
    deterministic: bool = Field(
        True,
        description="bitwise equal results on the same machine with the same packages, be it a processor or a GPU",
    )
    # Where a state lies decides no model, so recipes and fingerprints leave it out.
    checkpoints: str | None = Field(
        None,
        exclude=True,
        description="where interrupted trainings are kept, a folder, `s3://…` or `gs://…`; null: in the workdir, on "
        "Kubeflow below the pipeline root",
    )

    @model_validator(mode="after")
    def _warmup_fits(self) -> "TrainOptions":
        if self.schedule == "cosine" and self.warmup_epochs >= self.epochs - self.head_epochs > 1:
            less = f" less train.head_epochs={self.head_epochs}" if self.head_epochs else ""
            raise ValueError(
                f"train.warmup_epochs must be below train.epochs{less}. Received: {self.warmup_epochs} of {self.epochs}"
            )
        return self

    @model_validator(mode="after")
    def _sizes_fit(self) -> "TrainOptions":
        shares = [share for share, _ in self.size_schedule]
        inside = all(0.0 < value < 1.0 for pair in self.size_schedule for value in pair)
        if shares != sorted(set(shares)) or not inside:
            raise ValueError(
                "train.size_schedule takes pairs of a share of the epochs, one larger than the other, and a relative "
                f"size, both between 0 and 1. Received: {[list(pair) for pair in self.size_schedule]}"
            )
        return self

    @model_validator(mode="after")
    def _head_epochs_fit(self) -> "TrainOptions":
        if self.head_epochs and (
            self.head_epochs >= self.epochs or self.head_epochs > (self.epochs_without_gain or self.epochs)
        ):
            raise ValueError(
                "train.head_epochs must be below train.epochs and at most train.patience, so that everything gets to "
                f"learn (model.freeze=true keeps the head alone). Received: train.head_epochs={self.head_epochs}, "
                f"train.epochs={self.epochs}, train.patience={self.patience}"
            )
        return self

    @model_validator(mode="after")
    def _one_name_for_imbalance(self) -> "TrainOptions":
        if self.class_weights and self.imbalance is not None:
            raise ValueError(
                "train.class_weights is the old name of train.imbalance=effective: leave it out. "
                f"Received: train.class_weights=true, train.imbalance={self.imbalance}"
            )
        return self

    @property
    def imbalance_method(self) -> Imbalance:
        """What `imbalance` comes to, by either name."""
        return "effective" if self.class_weights else self.imbalance or "none"

    @property
    def epochs_without_gain(self) -> int | None:
        """What `patience` comes to with the schedule; None: no end before the last epoch."""
        return PATIENCE if self.patience is None and self.schedule != "cosine" else self.patience

    def with_epochs(self, epochs: int) -> "TrainOptions":
        """Return these options for a run that sets its epochs alone: a short one must not fail for its warm-up."""
        if epochs == self.epochs:
            return self
        head = min(self.head_epochs, epochs // 2)
        changes = {
            "epochs": epochs,
            "head_epochs": head,
            "warmup_epochs": min(self.warmup_epochs, (epochs - head) // 2),
        }
        return TrainOptions.model_validate(self.model_dump() | changes)


def check_fine_tuning(model: ModelOptions, train: TrainOptions) -> None:
    """Make sure that what fine-tunes has something to tune.

    Raises:
        ValueError: it hasn't.
    """
    names = [
        name
        for name in ("head_epochs", "layer_decay")
        if getattr(train, name) != TrainOptions.model_fields[name].default
    ]
    if not names or (model.weights is not None and not model.freeze):
        return
    asked = ", ".join(f"train.{name}={getattr(train, name)}" for name in names)
    if model.weights is None:
        raise ValueError(f"{asked} needs pretrained weights: set model.weights, or leave it out. Received: null")
    raise ValueError(f"{asked} is for a backbone that learns: set model.freeze=false. Received: true")


class WandbOptions(Section):
    """Weights & Biases."""

    enabled: bool = Field(False, description="log to Weights & Biases")
    project: str | None = Field(None, description="project")
    entity: str | None = Field(None, description="team or user")
    name: str | None = Field(None, description="name of the run")


class MlflowOptions(Section):
    """MLflow."""

    enabled: bool = Field(False, description="log to an MLflow server, and what comes of the model as well")
    uri: str | None = Field(None, description="of the server; null: as MLFLOW_TRACKING_URI says")
    experiment: str | None = Field(
        None,
        description="name of the experiment; null: as MLFLOW_EXPERIMENT_NAME or MLFLOW_EXPERIMENT_ID say, else "
        "`facial-affect`",
    )
    name: str | None = Field(None, description="name of the run; null: one that MLflow makes up")
    upload_model: bool = Field(False, description="copy the model to the server, beside naming where it was pushed")


class TrackingOptions(Section):
    """Where training is logged."""

    tensorboard: bool = Field(True, description="TensorBoard logs in `model_run`")
    wandb: WandbOptions = WandbOptions()
    mlflow: MlflowOptions = MlflowOptions()


class AnswerOptions(Section):
    """When the exported model is sure enough to answer."""

    precision: float | None = Field(None, gt=0.0, lt=1.0, description="share of right answers; null: always answer")
    confidence: float = Field(0.95, ge=0.5, lt=1.0, description="that the share is reached")
    per_class: bool = Field(False, description="by each class alone, in place of all answers together")
