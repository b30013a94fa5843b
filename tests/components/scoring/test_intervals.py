import numpy as np
import pytest
from scipy.stats import binomtest
from simulated_coverage import exact_coverage, group_sizes, grouped_coverage, macro_coverage, single_shares

from components.analysis.about_intervals import about_intervals
from components.scoring.intervals import with_intervals
from components.scoring.predictions import Predictions
from components.tools.scores import OVERALL


def answers(
    labels: np.ndarray, predicted: np.ndarray, groups: np.ndarray, copies: np.ndarray | None = None
) -> Predictions:
    names = np.array([str(index) for index in range(len(labels))])
    copies = np.zeros(len(labels), bool) if copies is None else copies
    return Predictions(np.eye(3)[predicted], labels, groups.astype(str), names, copies)


def test_shares_of_independent_images_have_wilsons_interval_as_scipy_computes_it() -> None:
    labels = np.array([0] * 27 + [1] * 20 + [2] * 10)
    predicted = np.array([0] * 27 + [1] * 17 + [2] * 3 + [2] * 8 + [1] * 2)

    found = with_intervals(answers(labels, predicted, np.arange(57)), 3, 0, 0)

    rows = found["per_class"]
    for score, right, of in (
        (found["accuracy"], 52, 57),
        (rows[0]["recall"], 27, 27),
        (rows[1]["recall"], 17, 20),
        (rows[1]["precision"], 17, 19),
        (rows[2]["precision"], 8, 11),
    ):
        expected = binomtest(right, of).proportion_ci(method="wilson")
        assert (score["low"], score["high"]) == pytest.approx((expected.low, expected.high), abs=1e-12)
        assert (score["value"], score["effective"]) == pytest.approx((right / of, of))
        assert (score["method"], score["design_effect"]) == ("wilson", 1.0)
    # 2s / (1 + s) of the share s of the 22 images that are or are said to be of class 1.
    expected = binomtest(17, 22).proportion_ci(method="wilson")
    f1 = rows[1]["f1"]
    assert f1["value"] == pytest.approx(2 * 17 / (20 + 19))
    assert f1["low"] == pytest.approx(2 * expected.low / (1 + expected.low))
    assert f1["high"] == pytest.approx(2 * expected.high / (1 + expected.high))


@pytest.mark.parametrize("name", OVERALL)
def test_nothing_is_certain_because_all_test_images_are_right(name: str) -> None:
    labels = np.repeat(np.arange(3), 20)

    found = with_intervals(answers(labels, labels, np.arange(60)), 3, 200, 0)[name]

    assert (found["value"], found["high"]) == (1.0, 1.0)
    assert found["low"] == pytest.approx(binomtest(60, 60).proportion_ci(method="wilson").low)


def test_a_class_that_is_never_predicted_has_no_interval_of_its_precision() -> None:
    labels = np.repeat(np.arange(3), 20)

    found = with_intervals(answers(labels, np.minimum(labels, 1), np.arange(60)), 3, 200, 0)

    never = found["per_class"][2]
    assert never["precision"] == {"value": 0.0, "low": None, "high": None, "method": None}
    assert never["f1"]["low"] == 0.0 < never["f1"]["high"] < 0.3
    assert found["macro_precision"]["low"] < found["macro_precision"]["value"] < found["macro_precision"]["high"]


def test_groups_that_are_right_or_wrong_as_one_count_once() -> None:
    labels, groups = np.zeros(100, np.int64), np.repeat(np.arange(10), 10)
    some_wrong = np.where(np.isin(groups, (1, 4, 7)), 1, 0)

    found = with_intervals(answers(labels, some_wrong, groups), 3, 0, 0)["accuracy"]
    faultless = with_intervals(answers(labels, labels, groups), 3, 0, 0)["accuracy"]

    assert found["effective"] == pytest.approx(10, rel=0.1)
    assert faultless["effective"] == 10
    assert faultless["low"] == pytest.approx(binomtest(10, 10).proportion_ci(method="wilson").low)


def test_augmented_copies_make_nothing_surer() -> None:
    """Mistakes that copies make whatever they were made of look as though each copy told something of its own."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(100), 10)
    copies = np.arange(1000) % 10 > 0
    labels, wrong = np.zeros(1000, np.int64), (rng.random(1000) < 0.2).astype(np.int64)

    with_copies = with_intervals(answers(labels, wrong, groups, copies), 3, 0, 0)["accuracy"]
    originals = with_intervals(answers(labels, wrong, groups), 3, 0, 0)["accuracy"]

    assert with_copies["effective"] == 100
    assert originals["effective"] > 500


def test_intervals_of_independent_images_hold_the_truth_as_often_as_they_say() -> None:
    """Exactly: summed over the binomial distribution."""
    for count in (20, 50, 300):
        average = np.mean([exact_coverage(count, share) for share in np.linspace(0.5, 1, 501)[:-1]])
        assert 0.94 <= average <= 0.97
        assert min(exact_coverage(count, share) for share in single_shares(count)) >= 0.90


@pytest.mark.parametrize(("count", "size", "correlation"), [(300, 5, 0.5), (50, 5, 1.0), (300, None, 0.2)])
def test_intervals_of_grouped_images_hold_the_truth_about_as_often_as_they_say(
    count: int, size: int | None, correlation: float
) -> None:
    rng = np.random.default_rng(0)
    held = [
        grouped_coverage(group_sizes(count, size), share, correlation, 60, rng) for share in np.linspace(0.5, 0.99, 12)
    ]

    assert 0.92 <= np.mean(held) <= 0.985


def test_averages_over_classes_hold_the_truth_where_a_bootstrap_fails() -> None:
    held = macro_coverage(3, 50, 0.02, 1, 60, np.random.default_rng(0))

    assert held["shown"]["macro_f1"] >= 0.90
    assert held["percentile bootstrap"]["macro_f1"] <= 0.85


def test_readers_are_told_how_much_groups_matter() -> None:
    labels = np.repeat(np.arange(3), 20)
    alone = with_intervals(answers(labels, labels, np.arange(60)), 3, 10, 0)
    tied = with_intervals(answers(labels, labels, np.arange(60) // 2), 3, 10, 0)

    assert "Wilson" in about_intervals(alone)
    assert "group" not in about_intervals(alone)
    assert "as much as 30 that are (design effect 2.00)" in about_intervals(tied)
