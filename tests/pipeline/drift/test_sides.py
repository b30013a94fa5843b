"""Differences of two samples in standard errors, and what permutations of whole groups make of them."""

import numpy as np
import pytest
from scipy.stats import permutation_test

from pipeline.drift.sides import Sides


def test_without_groups_the_p_value_is_that_of_a_plain_permutation_test() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=60), rng.normal(0.35, 1.0, size=40)
    values = np.concatenate([first, second])
    found = Sides(np.arange(100), np.arange(100) >= 60, 4999, 1).differences(values[:, np.newaxis])

    expected = permutation_test(
        (first, second), lambda one, two: abs(one.mean() - two.mean()), n_resamples=4999, alternative="greater"
    )
    assert (found >= found[0] - 1e-9).mean() == pytest.approx(expected.pvalue, abs=0.015)


def test_images_that_say_the_same_as_others_of_their_group_count_for_nothing() -> None:
    values, second = np.random.default_rng(0).normal(size=(80, 3)), np.arange(80) >= 50
    alone = Sides(np.arange(80), second, 200, 1)
    tripled = Sides(np.repeat(np.arange(80), 3), np.repeat(second, 3), 200, 1)

    assert tripled.differences(np.repeat(values, 3, axis=0)) == pytest.approx(alone.differences(values))
    scores = np.random.default_rng(1).normal(size=(201, 80))
    assert tripled.differences_of(np.repeat(scores, 3, axis=1)) == pytest.approx(alone.differences_of(scores))


def test_a_column_is_measured_the_same_whether_each_permutation_has_its_own_or_all_share_it() -> None:
    rng = np.random.default_rng(0)
    groups = np.sort(rng.integers(30, size=90))
    sides = Sides(groups, groups >= 20, 100, 1)
    column = rng.normal(size=90)

    signed = sides.differences_of(np.tile(column, (101, 1)))

    assert np.abs(signed) == pytest.approx(sides.differences(column[:, np.newaxis]))
    assert signed[0] > 0 or signed[0] < 0


def test_what_is_the_same_for_all_images_differs_by_nothing() -> None:
    assert not Sides(np.arange(50), np.arange(50) >= 25, 20, 1).differences(np.ones((50, 2))).any()


@pytest.mark.parametrize(("first", "second"), [(5, 1), (1, 5), (4, 4)])
def test_groups_of_unlike_sizes_raise_as_many_alarms_as_is_said(first: int, second: int) -> None:
    alarms = 0
    for draw in range(120):
        rng = np.random.default_rng([draw, first])
        sizes = [first] * 60 + [second] * 40
        groups = np.repeat(np.arange(100), sizes)
        values = 0.8 * rng.normal(size=100)[groups] + 0.6 * rng.normal(size=len(groups))
        below = (values[:, np.newaxis] <= np.array([-1.0, 0.0, 1.0])).astype(float)
        found = Sides(groups, groups >= 60, 199, draw).differences(below)
        alarms += (found >= found[0] - 1e-9).mean() <= 0.05

    assert 2 <= alarms <= 13  # of 6 that are expected; 5 % give fewer or more once in 50 times
