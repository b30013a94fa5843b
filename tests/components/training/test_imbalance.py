"""Weights and offsets of classes against the papers' formulas."""

from typing import Any

import numpy as np
import pytest

from components.training.imbalance import Correction, correction_of, described
from components.training.options import TrainOptions

# 700 : 1, and one between.
COUNTS = [700, 40, 1]
LABELS = np.repeat(np.arange(3), COUNTS)


def correction(labels: Any = LABELS, shares: Any = None, classes: int = 3, **options: Any) -> Correction:
    return correction_of(labels, shares, classes, TrainOptions(**options))


@pytest.mark.parametrize("beta", [0.9, 0.99, 0.9999])
def test_effective_weights_are_the_inverse_of_the_effective_number(beta: float) -> None:
    # Cui et al. derive the effective number of n images as the sum of the first n powers of beta.
    numbers = [sum(beta**power for power in range(count)) for count in COUNTS]

    weights = correction(imbalance="effective", effective_beta=beta).weights

    np.testing.assert_allclose(weights / weights[0], numbers[0] / np.array(numbers), rtol=1e-5)


def test_effective_weights_lie_between_equal_ones_and_inverse_frequencies() -> None:
    nearly_equal = correction(imbalance="effective", effective_beta=1e-6).weights
    nearly_inverse = correction(imbalance="effective", effective_beta=1 - 1e-9).weights

    np.testing.assert_allclose(nearly_equal, 1.0, rtol=1e-4)
    np.testing.assert_allclose(nearly_inverse / nearly_inverse[0], [1.0, 700 / 40, 700.0], rtol=1e-4)


def test_square_root_weights_are_the_inverse_of_the_root() -> None:
    weights = correction(imbalance="sqrt").weights

    np.testing.assert_allclose(weights / weights[0], np.sqrt(700 / np.array(COUNTS)), rtol=1e-5)


@pytest.mark.parametrize("method", ["effective", "sqrt"])
def test_the_mean_weight_of_all_images_is_one(method: str) -> None:
    assert correction(imbalance=method).weights[LABELS].mean() == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("tau", [1.0, 0.5])
def test_logits_are_adjusted_by_the_logarithm_of_the_share(tau: float) -> None:
    found = correction(imbalance="logit_adjustment", logit_tau=tau)

    np.testing.assert_allclose(found.offsets, tau * np.log(np.array(COUNTS) / 741), rtol=1e-5)
    assert not found.weighs


def test_what_counts_is_what_training_sees() -> None:
    # Two images of half a vote each, and one of which the label is half sure.
    shares = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 0.5]], np.float32)

    offsets = correction(np.array([0, 0, 2]), shares, imbalance="logit_adjustment").offsets

    np.testing.assert_allclose(offsets, np.log([0.4, 0.4, 0.2]), rtol=1e-5)


@pytest.mark.parametrize("method", ["none", "effective", "sqrt", "logit_adjustment"])
def test_nothing_is_done_where_classes_are_equal(method: str) -> None:
    found = correction(np.arange(30) % 3, imbalance=method)

    np.testing.assert_array_equal(found.weights, 1.0)
    assert not found.weighs
    assert not found.adjusts
    assert described(found, ["a", "b", "c"], TrainOptions(imbalance=method)) is None


@pytest.mark.parametrize("method", ["effective", "sqrt", "logit_adjustment"])
def test_a_class_without_an_image_counts_like_the_rarest(method: str) -> None:
    found = correction(LABELS, classes=4, imbalance=method)

    assert np.isfinite(found.weights).all()
    assert np.isfinite(found.offsets).all()
    assert (found.weights[3], found.offsets[3]) == (found.weights[2], found.offsets[2])


def test_smoothing_draws_to_the_shares_that_the_loss_takes_for_no_knowledge() -> None:
    np.testing.assert_allclose(correction(imbalance="logit_adjustment").smoothed, np.array(COUNTS) / 741, rtol=1e-5)
    np.testing.assert_allclose(correction(imbalance="effective").smoothed, 1 / 3)


def test_a_training_says_what_its_loss_does() -> None:
    options = TrainOptions(imbalance="sqrt")

    said = described(correction(imbalance="sqrt"), ["many", "some", "one"], options)

    assert said is not None
    assert said["method"] == "sqrt"
    assert said["weights"]["one"] > said["weights"]["some"] > said["weights"]["many"]


def test_the_old_name_means_effective_numbers() -> None:
    options = TrainOptions(class_weights=True)

    assert options.imbalance_method == "effective"
    np.testing.assert_array_equal(correction(class_weights=True).weights, correction(imbalance="effective").weights)


def test_both_names_at_once_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"class_weights is the old name of train\.imbalance=effective: leave it out"):
        TrainOptions(class_weights=True, imbalance="sqrt")
