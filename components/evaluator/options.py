"""Options of the Evaluator."""

from pydantic import Field, field_validator

from components.formats.folds import MOST_FOLDS
from components.tools.section import MOST, Section


class EvaluateOptions(Section):
    """What a model must reach to be pushed, and what is measured of it."""

    min_accuracy: float | None = Field(
        None,
        ge=0.0,
        le=1.0,
        description="least test accuracy; null: the majority class's share + 0.05, at most halfway to 1",
    )
    beat_baselines: bool = Field(
        True,
        description="bless no model that isn't better in accuracy than the largest class's share of test and than a "
        "linear model",
    )
    min_gain: float = Field(
        0.0, ge=-1.0, le=1.0, description="least gain in accuracy over the pushed model, on images new to both"
    )
    gain_confidence: float | None = Field(
        None,
        ge=0.5,
        lt=1.0,
        description="confidence, such as 0.95, that the gain exceeds min_gain; null: the gain as measured is enough",
    )
    target_precision: float | None = Field(
        None,
        gt=0.0,
        lt=1.0,
        description="the exported model answers (`accepted`) only where it is so sure that this share of its answers "
        "is right, such as 0.95; null: always",
    )
    target_per_class: bool = Field(
        False, description="promise `target_precision` of each class's answers, with a threshold each"
    )
    target_confidence: float = Field(
        0.95, ge=0.5, lt=1.0, description="confidence, of eval's images, that `target_precision` is reached"
    )
    min_slice_accuracy: float | None = Field(
        None,
        ge=0.0,
        le=1.0,
        description="least test accuracy on each slice by a column of `data.metadata_csv`; null: slices keep none back",
    )
    min_slice_images: int = Field(
        50,
        ge=1,
        le=MOST,
        description="test images, copies not counted, that a slice must have to be judged; with 50 an accuracy of 0.85 "
        "is known to within 0.10",
    )
    slice_on: tuple[str | tuple[str, ...], ...] | None = Field(
        None,
        description="columns to slice by, and pairs to cross, such as `[camera, [camera, sex]]`; null: each column "
        "that divides the images",
    )
    max_slice_values: int = Field(
        20,
        ge=2,
        le=MOST,
        description="a column of more different values is sliced by quartiles if they are numbers, else not",
    )
    calibrate: bool = Field(True, description="fit a temperature on eval and build it into the model")
    flip_average: bool | None = Field(
        None,
        description="average the answers for an image and its mirror image, as exported; null: as train.augment.flip",
    )
    bootstrap: int = Field(
        1000,
        ge=0,
        le=MOST,
        description="resamples for the 95 % intervals of averages over classes, such as macro-F1; 0: none",
    )
    folds: int = Field(
        0,
        ge=0,
        le=MOST_FOLDS,
        description="cross-fitting: so many more trainings, each of which predicts a fold of train and eval that it "
        "hasn't seen; 0 or 1: none",
    )

    def each_fold(self) -> range:
        """Return the folds' numbers; none without cross-fitting."""
        return range(1, self.folds + 1) if self.folds > 1 else range(0)

    @field_validator("slice_on")
    @classmethod
    def _columns_or_pairs(
        cls, value: tuple[str | tuple[str, ...], ...] | None
    ) -> tuple[str | tuple[str, ...], ...] | None:
        for one in value or ():
            if not isinstance(one, str) and (len(one) != 2 or one[0] == one[1]):
                raise ValueError(f"takes columns, and pairs of two different ones. Received: {list(one)}")
        seen = [one if isinstance(one, str) else tuple(sorted(one)) for one in value or ()]
        if len(set(seen)) < len(seen):
            raise ValueError(f"takes each column and each pair once. Received: {value}")
        return value
