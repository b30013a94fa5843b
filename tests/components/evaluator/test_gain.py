import numpy as np
import pytest
import simulated_coverage
from scipy.stats import binomtest

from components.evaluator.gain import Gain, missed, paired_gain


def gain(images: int, candidate: int, baseline: int, effect: float = 1.0) -> Gain:
    return Gain(images, candidate, baseline, effect, 0.95)


@pytest.mark.parametrize(("candidate", "baseline"), [(0, 0), (5, 0), (6, 0), (12, 3), (3, 12), (40, 41)])
def test_chance_is_mcnemars_exact_test_as_scipy_computes_it(candidate: int, baseline: int) -> None:
    both = candidate + baseline
    expected = binomtest(candidate, both).pvalue if both else 1.0

    assert gain(300, candidate, baseline).chance == pytest.approx(expected)


def test_the_interval_of_a_gain_is_bonett_and_prices() -> None:
    """As in Bonett & Price 2012: (f12 - f21) / (n + 2) ± z √((p12 + p21 - (p12 - p21)²) / (n + 2))."""
    found = gain(100, 15, 4)

    middle = 11 / 102
    half = 1.959964 * np.sqrt((21 / 102 - middle**2) / 102)
    assert (found.value, found.low, found.high) == pytest.approx((0.11, middle - half, middle + half), abs=1e-6)


def test_models_that_answer_alike_may_still_differ() -> None:
    found = gain(50, 0, 0)

    assert found.value == 0
    assert found.low == pytest.approx(-found.high)
    assert 0.02 < found.high < 0.1


def test_a_gain_by_whole_groups_is_less_sure_than_one_by_single_images() -> None:
    groups, copies = np.repeat(np.arange(20), 5), np.zeros(100, bool)
    baseline = np.zeros(100, bool)
    by_group, spread = np.isin(groups, (0, 7, 9)), np.isin(np.arange(100), np.arange(15) * 5)

    together = paired_gain(by_group, baseline, groups, copies, 0.95)
    apart = paired_gain(spread, baseline, groups, copies, 0.95)
    single = paired_gain(spread, baseline, np.arange(100), copies, 0.95)

    assert together.value == apart.value == single.value == 0.15
    assert together.low < 0 < apart.low <= single.low
    assert (together.chance, single.design_effect) == (None, 1.0)


def test_a_gain_that_may_be_chance_is_refused_with_what_it_would_take() -> None:
    assert missed(gain(300, 6, 0), 0.0, "") == []

    [failure] = missed(gain(300, 12, 6), 0.0, " on the 300 test images that are new to both")

    assert failure["value"] == gain(300, 12, 6).low < 0
    assert "differs by +0.020 from the pushed model's on the 300 test images that are new to both" in failure["text"]
    assert "with 0.95 confidence only by at least -0.009, and more than +0.000 is required: 0.009" in failure["text"]
    needed = gain(300, 12, 6).images_to_exceed(0.0)
    assert needed is not None
    assert f"about {needed:,} test images" in failure["text"]
    scale = needed / 300
    assert gain(needed, round(12 * scale), round(6 * scale)).low == pytest.approx(0.0, abs=0.001)


def test_a_gain_of_no_more_than_is_required_is_never_shown() -> None:
    [failure] = missed(gain(300, 6, 6), 0.0, "")

    assert failure["text"].endswith("no number of test images would show more than is there")


@pytest.mark.parametrize(
    ("candidate", "baseline", "said"), [(30, 5, "beyond chance"), (5, 30, "a loss beyond"), (9, 7, "may be chance")]
)
def test_it_is_said_whether_a_gain_is_beyond_chance(candidate: int, baseline: int, said: str) -> None:
    assert said in gain(300, candidate, baseline).describe()


@pytest.mark.parametrize("group", [1, 5])
def test_intervals_of_gains_hold_the_true_one(group: int) -> None:
    held, above = simulated_coverage.gain_coverage(300, 0.1, 0.1, group, 400, np.random.default_rng(0))

    assert held >= 0.93
    assert above <= 0.05
