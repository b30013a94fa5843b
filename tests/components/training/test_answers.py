"""The promise of a precision: against exact binomial tests, and kept as often as it says in drawn evaluation splits."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from components.tools.proportions import Proportion
from components.training.answers import Threshold, find_threshold, find_thresholds
from components.training.options import AnswerOptions

TARGET, CONFIDENCE = 0.95, 0.95


def find(scores: Any, right: Any, groups: Any = None, precision: float = TARGET) -> Threshold:
    count = len(scores)
    own = np.arange(count).astype(str)
    return find_threshold(
        np.asarray(scores, np.float32),
        np.asarray(right, bool),
        own if groups is None else np.asarray(groups),
        np.zeros(count, bool),
        precision,
        CONFIDENCE,
    )


@pytest.mark.parametrize(("hits", "count"), [(0, 7), (1, 7), (59, 59), (58, 59), (230, 253)])
def test_the_lower_bound_is_that_of_an_exact_binomial_test(hits: int, count: int) -> None:
    expected = binomtest(hits, count, alternative="greater").proportion_ci(CONFIDENCE, "exact").low

    assert Proportion(hits / count, count, 1.0).surely(CONFIDENCE) == pytest.approx(expected, abs=1e-9)


def test_the_bound_of_groups_is_that_of_as_many_independent_images() -> None:
    assert Proportion(0.9, 200, 4.0).surely(CONFIDENCE) == pytest.approx(Proportion(0.9, 50, 1.0).surely(CONFIDENCE))


def test_the_threshold_is_the_last_step_that_exact_tests_pass() -> None:
    rng = np.random.default_rng(3)
    scores = rng.random(600)
    right = rng.random(600) < np.minimum(1.0, 0.7 + 0.5 * scores)
    order = np.argsort(-scores)

    found = find(scores, right)

    def chance(answered: int) -> float:
        hits = int(right[order[:answered]].sum())
        return float(binomtest(hits, answered, TARGET, alternative="greater").pvalue)

    steps = range(60, 601, 30)  # a tenth, then twentieths
    failed = next(step for step in steps if chance(step) > 1 - CONFIDENCE)
    assert found.answered == failed - 30 > 60
    assert found.precision == right[order[: found.answered]].mean()
    assert found.score == pytest.approx(scores[order[found.answered - 1]], abs=2e-5)
    assert found.reason == ""


def test_fifty_nine_right_answers_are_the_least_that_show_95_percent() -> None:
    assert find(np.linspace(1, 0, 59), np.ones(59)).answered == 59
    few = find(np.linspace(1, 0, 58), np.ones(58))
    assert (few.score, few.answered) == (None, 0)
    assert few.reason == "58 images are too few: 59 that don't belong together, all of them right, are the least"


def test_a_model_that_errs_where_it_is_surest_answers_nothing_and_says_why() -> None:
    right = np.ones(600)
    right[:10] = 0

    found = find(np.linspace(1, 0, 600), right)

    assert found.score is None
    assert found.reason == "of the surest 60 of 600 images 0.833 are right, surely only 0.734"


def test_images_of_one_score_are_answered_together_or_not_at_all() -> None:
    scores = np.repeat([0.9, 0.5], [130, 70])
    right = np.repeat([True, False], [130, 70])

    found = find(scores, right)

    assert found.answered == 130
    assert 0.5 < (found.score or 0.0) < 0.9


def test_repeated_images_of_a_group_show_no_more_than_one() -> None:
    scores, right = np.linspace(1, 0, 70), np.ones(70)
    right[65:] = 0
    groups = np.arange(70)

    tied = find(np.repeat(scores, 5), np.repeat(right, 5), np.repeat(groups, 5))

    alone = find(scores, right)
    assert (tied.answered, tied.score) == (5 * alone.answered, alone.score)
    assert find(np.repeat(scores[:50], 5), np.ones(250), np.repeat(groups[:50], 5)).score is None
    assert find(np.repeat(scores[:50], 5), np.ones(250)).answered == 250


def test_copies_of_an_image_show_no_more_than_it() -> None:
    scores, groups = np.linspace(1, 0, 400), np.repeat(np.arange(200), 2)
    right, copies = np.ones(400, bool), np.arange(400) % 2 == 1
    right[[301, 341, 381]] = False

    surely = [
        find_threshold(scores, right, groups, augmented, TARGET, CONFIDENCE).surely
        for augmented in (copies, np.zeros(400, bool))
    ]

    assert surely[0] == Proportion(397 / 400, 200, 1.0).surely(CONFIDENCE)
    assert surely[0] < surely[1]  # type: ignore[operator]


def test_without_a_target_nothing_is_promised() -> None:
    assert find_thresholds(np.eye(2), np.arange(2), ["a", "b"], [0, 0], ["x", "y"], AnswerOptions()) is None


def test_each_class_has_a_threshold_of_its_own_or_none() -> None:
    rng = np.random.default_rng(0)
    labels = ["easy", "hard", "rare"]
    predicted = np.repeat([0, 1, 2], [300, 300, 20])
    sure = rng.uniform(0.5, 0.99, 620)
    probabilities = np.full((620, 3), 0.0)
    probabilities[np.arange(620), predicted] = sure
    probabilities[np.arange(620), (predicted + 1) % 3] = 1 - sure
    wrong = (predicted == 1) & (rng.random(620) < 0.4)
    truth = np.where(wrong, 0, predicted)
    options = AnswerOptions(precision=TARGET, per_class=True)

    found = find_thresholds(probabilities, truth, list(map(str, range(620))), [0] * 620, labels, options)

    assert found is not None
    assert [one["label"] for one in found["found"]] == labels
    assert found["thresholds"] == [one["score"] for one in found["found"]]
    assert found["found"][0]["answered"] == 300
    assert found["thresholds"][0] == pytest.approx(sure[:300].min(), abs=2e-5)
    assert found["thresholds"][1:] == [None, None]
    assert "20 images are too few" in found["found"][2]["reason"]
    one = find_thresholds(
        probabilities, truth, list(map(str, range(620))), [0] * 620, labels, AnswerOptions(precision=TARGET)
    )
    assert one is not None
    assert one["thresholds"] == [one["found"][0]["score"]] * 3
    assert one["found"][0]["images"] == 620


# Each: scores that are uniform, and the share of right answers at a score.
RISES: Callable[[Any], Any] = lambda score: 0.6 + 0.4 * score  # noqa: E731
JUST_TOO_LOW: Callable[[Any], Any] = lambda score: np.full_like(score, 0.949)  # noqa: E731
FALLS_OFF: Callable[[Any], Any] = lambda score: np.where(score > 0.7, 0.99, 0.7)  # noqa: E731
UNHELPFUL: Callable[[Any], Any] = lambda score: 0.95 - 0.03 * np.abs(score - 0.5)  # noqa: E731


@pytest.mark.parametrize("right_at", [RISES, JUST_TOO_LOW, FALLS_OFF, UNHELPFUL])
def test_the_promise_is_broken_no_more_often_than_it_says(right_at: Callable[[Any], Any]) -> None:
    rng = np.random.default_rng(1)
    grid = np.linspace(0, 1, 20_001)
    above = np.cumsum(right_at(grid)[::-1])[::-1] / np.arange(len(grid), 0, -1)  # precision at and above a score
    broken, repeats = 0, 400
    for _ in range(repeats):
        scores = rng.random(300)
        found = find(scores, rng.random(300) < right_at(scores))
        broken += found.score is not None and bool(np.interp(found.score, grid, above) < TARGET)

    allowed = 1 - CONFIDENCE
    assert broken / repeats <= allowed + 2 * np.sqrt(allowed * (1 - allowed) / repeats)


def test_with_groups_the_promise_is_kept_where_single_images_would_break_it() -> None:
    rng = np.random.default_rng(2)
    broken = {"groups": 0, "images": 0}
    repeats, size = 300, 6
    groups = np.repeat(np.arange(100), size)
    for _ in range(repeats):
        # Right or wrong as one, and alike sure; a true precision just below the target, whatever the score.
        right = np.repeat(rng.random(100) < TARGET - 0.001, size)
        scores = np.repeat(rng.random(100), size) + 0.01 * rng.random(600)
        broken["groups"] += find(scores, right, groups).score is not None
        broken["images"] += find(scores, right).score is not None

    assert broken["groups"] / repeats <= 0.08
    assert broken["images"] / repeats > 0.1
