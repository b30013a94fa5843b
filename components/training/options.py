"""Options of training: the network, how it is trained, where that is logged."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from components.tools.section import FILE, Section

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Architecture = Literal["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]

ARCHITECTURES: tuple[Architecture, ...] = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


class ModelOptions(Section):
    """The network."""

    architecture: Architecture = Field("resnet18", description="which ResNet")
    normalize: bool = Field(True, description="rescale pixels to [0, 1] in the graph")
    dropout: float = Field(0.1, ge=0.0, lt=1.0, description="dropout rate after global average pooling")
    l2: float = Field(0.0, ge=0.0, description="L2 penalty of the kernels; part of the training loss alone")
    zero_init_residual: bool | None = Field(
        None, description="begin with residual blocks that pass their input on; null: in ResNet-50, -101 and -152"
    )
    weights: str | None = Field(
        None, description="`imagenet`, or a path to .weights.h5, .keras or a SavedModel", json_schema_extra=FILE
    )
    freeze: bool = Field(False, description="train the head alone, on top of `weights`")

    def files(self) -> list[str]:
        """Return the weights, unless they are ImageNet's."""
        return [path for path in super().files() if path != "imagenet"]

    @model_validator(mode="after")
    def _something_to_freeze(self) -> "ModelOptions":
        if self.freeze and self.weights is None:
            raise ValueError("model.freeze=true keeps model.weights as they are: name some. Received: null")
        return self


class OnlineAugmentOptions(Section):
    """Random changes of each training batch, different in every epoch."""

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
    deterministic: bool = Field(
        True,
        description="bitwise equal results on the same machine with the same packages, be it a processor or a GPU",
    )

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
