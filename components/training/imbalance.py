"""How the loss makes up for classes of few images: class counts in, a weight and an offset a class out. Pure.

    effective         weights by the effective number of images (Cui et al. 2019, arXiv 1901.05555)
    sqrt              weights by the inverse square root of the number of images
    logit_adjustment  the logarithm of a class's share is added to its logit, in training alone (Menon et al. 2021,
                      arXiv 2007.07314)

What counts is what training sees of a class: copies included, an image of two classes in each by its share, and an
image of a doubtful label by its weight.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from components.training.options import TrainOptions


@dataclass(frozen=True)
class Correction:
    """What the training loss does differently; the loss on eval is as it would be without.

    Attributes:
        weights: [classes] float32, of each class's images; the mean over all images is 1.
        offsets: [classes] float32, added to the logits.
    """

    weights: NDArray[np.float32]
    offsets: NDArray[np.float32]

    @property
    def weighs(self) -> bool:
        """Whether some classes weigh more than others."""
        return bool(np.ptp(self.weights) > 0.0)

    @property
    def adjusts(self) -> bool:
        """Whether the logits are changed."""
        return bool(np.any(self.offsets))

    @property
    def smoothed(self) -> NDArray[np.float64]:
        """Return the [classes] distribution that label smoothing draws targets to.

        It is uniform without offsets. With them it is what the loss takes for knowing nothing: a uniform one would
        promise a class of one image in a thousand far more than its share, and the logits, which must keep that
        promise after the offset, would name that class wherever an image isn't of it.
        """
        return np.asarray(softmax(self.offsets.astype(np.float64)))


def correction_of(
    labels: NDArray[np.int64], shares: NDArray[np.float32] | None, classes: int, options: TrainOptions
) -> Correction:
    """Return what `train.imbalance` asks for.

    Args:
        labels: [N], the class of each image.
        shares: N×classes, of each class in each image, times the image's weight; None where `labels` say it all.
        classes: number of classes.
        options: which method, and its constant.
    """
    counts = class_counts(labels, shares, classes)
    weights, offsets = np.ones(classes), np.zeros(classes)
    if np.ptp(counts) == 0.0:  # no class has fewer images than another
        pass
    elif options.imbalance_method == "effective":
        weights = normalized(1.0 / effective_number(counts, options.effective_beta), counts)
    elif options.imbalance_method == "sqrt":
        weights = normalized(1.0 / np.sqrt(_present(counts)), counts)
    elif options.imbalance_method == "logit_adjustment":
        offsets = log_shares(counts, options.logit_tau)
    return Correction(weights.astype(np.float32), offsets.astype(np.float32))


def described(correction: Correction, labels: Sequence[str], options: TrainOptions) -> dict[str, Any] | None:
    """Return what is said of a loss: the method, and each class's weight or offset; None for no difference."""
    if not correction.weighs and not correction.adjusts:
        return None
    values = correction.weights if correction.weighs else correction.offsets
    by_class = {label: round(float(value), 4) for label, value in zip(labels, values, strict=True)}
    return {"method": options.imbalance_method, "weights" if correction.weighs else "offsets": by_class}


def class_counts(labels: NDArray[Any], shares: NDArray[Any] | None, classes: int) -> NDArray[np.float64]:
    """Return the images of each class, in fractions where images belong to several or count less than one."""
    if shares is not None:
        return np.asarray(shares.sum(axis=0, dtype=np.float64))
    return np.bincount(labels, minlength=classes).astype(np.float64)


def effective_number(counts: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
    """Return (1 - βⁿ) / (1 - β) for each class of n images (Cui et al., proposition 1)."""
    return np.asarray(-np.expm1(_present(counts) * np.log(beta)) / (1.0 - beta))


def log_shares(counts: NDArray[np.float64], tau: float) -> NDArray[np.float64]:
    """Return τ·log π for each class of share π (Menon et al., equation 10)."""
    present = _present(counts)
    return np.asarray(tau * np.log(present / present.sum()))


def normalized(weights: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale weights so that all images together weigh as many as they are."""
    return np.asarray(weights * counts.sum() / (weights * counts).sum())


def _present(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the counts, of a class without an image 1: it is as rare as can be, and has no share to divide by."""
    return np.where(counts > 0.0, counts, 1.0)
