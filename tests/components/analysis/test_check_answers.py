from itertools import permutations
from typing import Any

import numpy as np
import pytest

from components.analysis.answers import check_answers
from components.analysis.risk_coverage import curve, risk_coverage
from components.scoring.predictions import Predictions
from components.tools.proportions import wilson
from components.training.answers import find_thresholds
from components.training.options import AnswerOptions

LABELS = ["cat", "dog", "emu"]


def predictions(sure: Any, predicted: Any, right: Any, groups: Any = None) -> Predictions:
    """What a model says that is right where asked for; its score is spread over two classes."""
    sure, predicted, right = np.asarray(sure, np.float32).astype(float), np.asarray(predicted), np.asarray(right, bool)
    count = len(sure)
    probabilities = np.zeros((count, 3))
    probabilities[np.arange(count), predicted] = sure
    probabilities[np.arange(count), (predicted + 1) % 3] = 1 - sure
    names = np.array([f"{index}.jpg" for index in range(count)])
    truth = np.where(right, predicted, (predicted + 1) % 3)
    return Predictions(probabilities, truth, names if groups is None else groups, names, np.zeros(count, bool))


def promise(*thresholds: float | None, precision: float = 0.9, reason: str = "") -> dict[str, Any]:
    """As `find_thresholds` returns it: one threshold for all, or one a class."""
    per_class = len(thresholds) > 1
    found = [
        {"label": LABELS[index] if per_class else None, "score": score, "reason": "" if score is not None else reason}
        for index, score in enumerate(thresholds)
    ]
    scores = list(thresholds) if per_class else [thresholds[0]] * 3
    return {"precision": precision, "confidence": 0.95, "per_class": per_class, "thresholds": scores, "found": found}


def test_the_risk_is_the_share_of_mistakes_among_the_surest() -> None:
    found = risk_coverage(np.array([0.2, 0.9, 0.5, 0.7]), np.array([True, False, True, False]))

    assert found.risk.tolist() == pytest.approx([0, 0, 1 / 3, 2 / 4])
    assert found.best.tolist() == pytest.approx([0, 0, 1 / 3, 2 / 4])
    assert found.area == pytest.approx((1 / 3 + 2 / 4) / 4)
    assert found.excess == 0.0


def test_mistakes_of_one_score_count_as_in_any_order_of_them_on_average() -> None:
    scores, wrong = np.array([0.9, 0.5, 0.5, 0.5, 0.1]), np.array([False, True, False, False, True])

    orders = [
        [wrong[0], *middle, wrong[4]]
        for middle in permutations(wrong[1:4])  # every order in which the three may stand
    ]

    risks = [np.cumsum(order) / np.arange(1, 6) for order in orders]
    assert risk_coverage(scores, wrong).risk.tolist() == pytest.approx(np.mean(risks, axis=0))


def test_the_area_of_perfectly_ordered_scores_is_the_known_limit() -> None:
    rng = np.random.default_rng(0)
    wrong = rng.random(200_000) < 0.3

    ordered, useless = (risk_coverage(scores, wrong) for scores in (np.where(wrong, 0.0, 1.0), rng.random(200_000)))

    # Geifman et al. 2019, section 4: r + (1 - r) ln(1 - r); and r where scores say nothing.
    assert ordered.area == pytest.approx(0.3 + 0.7 * np.log(0.7), abs=2e-3)
    assert ordered.excess == pytest.approx(0.0, abs=1e-12)
    assert useless.area == pytest.approx(0.3, abs=5e-3)


def test_the_curve_is_short_and_holds_where_the_model_stops() -> None:
    found = risk_coverage(np.linspace(1, 0, 29_042), np.arange(29_042) % 7 == 0)

    thin = curve(found, 12_345)

    assert len(thin["coverage"]) == 101
    assert thin["coverage"] == sorted(thin["coverage"])
    assert thin["risk"][thin["coverage"].index(12_345 / 29_042)] == found.risk[12_344]
    assert thin["coverage"][-1] == 1.0
    assert curve(risk_coverage(np.zeros(0), np.zeros(0, bool)), None) == {"coverage": [], "risk": [], "best": []}


def test_what_is_answered_and_right_is_counted_with_intervals() -> None:
    sure = np.linspace(0.99, 0.51, 100)
    right = np.ones(100, bool)
    right[[10, 80, 90]] = False

    found = check_answers(predictions(sure, np.arange(100) % 3, right), LABELS, promise(float(np.float32(sure[59]))))

    low, high = wilson(0.6, 100)
    assert found["answered"] == {"value": 0.6, "low": pytest.approx(low), "high": pytest.approx(high)}
    low, high = wilson(59 / 60, 60)
    assert found["precision"] == {"value": pytest.approx(59 / 60), "low": pytest.approx(low), "high": high}
    dogs = found["per_class"][1]
    assert (dogs["label"], dogs["images"], dogs["answered"]["value"]) == ("dog", 33, pytest.approx(20 / 33))
    assert dogs["precision"]["value"] == pytest.approx(19 / 20)
    assert (found["short"], found["text"]) == (
        False,
        "The model answers 60.0 % (50.2 – 69.1) of the test images and is not sure enough for the others. "
        "98.3 % (91.1 – 99.7) of its answers are right; promised are 90 % of its answers, with 95 % confidence.",
    )


def test_images_of_a_group_make_the_intervals_wider() -> None:
    sure, predicted, right = np.linspace(0.99, 0.51, 100), np.zeros(100, int), np.arange(100) < 90

    alone, tied = (
        check_answers(predictions(sure, predicted, right, groups), LABELS, promise(0.5))["precision"]
        for groups in (None, np.repeat(np.arange(20).astype(str), 5))
    )

    assert tied["value"] == alone["value"] == 0.9
    assert tied["high"] - tied["low"] > 1.3 * (alone["high"] - alone["low"])


@pytest.mark.parametrize(
    ("wrong", "short", "text"),
    [
        (8, False, "promised are 90 % of its answers, with 95 % confidence."),
        (12, False, "That is less than promised, but it may be chance."),
        (40, True, "That is less than promised, beyond chance: test differs from eval."),
    ],
)
def test_a_promise_that_is_not_kept_is_told(wrong: int, short: bool, text: str) -> None:
    right = np.arange(100) >= wrong

    found = check_answers(predictions(np.full(100, 0.8), np.zeros(100, int), right), LABELS, promise(0.5))

    assert found["short"] == short
    assert text in found["text"]
    assert ("less than promised" in found["text"]) == (wrong > 10)


def test_a_model_that_answers_nothing_says_so_with_the_remedy() -> None:
    promised = promise(None, reason="58 images are too few: 59 are the least")

    found = check_answers(predictions(np.full(9, 0.8), np.zeros(9, int), np.ones(9)), LABELS, promised)

    assert found["short"]
    assert found["text"].startswith(
        "The model answers nothing: that 90 % of its answers are right can't be shown with 95 % confidence. On eval 58 "
    )
    assert "evaluate.target_precision" in found["text"]
    assert "split.eval" in found["text"]
    assert (found["answered"]["value"], found["precision"]["value"]) == (0.0, None)


def test_classes_that_are_never_answered_are_named() -> None:
    test = predictions([0.9] * 60, np.repeat([0, 1, 2], 20), np.repeat([True, False, True], [20, 16, 24]))

    found = check_answers(test, LABELS, promise(0.8, 0.8, None, reason="20 images are too few"))

    assert found["short"]
    assert "That is less than promised for dog, beyond chance" in found["text"]
    assert "It never answers emu (on eval 20 images are too few)." in found["text"]
    assert [row["answered"]["value"] for row in found["per_class"]] == [1.0, 1.0, 0.0]


@pytest.mark.parametrize("silent", [[None] * 30, [0.0] + [None] * 29])
def test_the_remedy_is_not_lost_behind_many_classes(silent: list[float | None]) -> None:
    labels = [f"class{index}" for index in range(30)]
    found = [
        {"label": label, "score": score, "reason": "no images"} for label, score in zip(labels, silent, strict=True)
    ]
    promised = promise(0.0) | {"per_class": True, "thresholds": silent, "found": found}
    sure = np.full((20, 30), 0.001) + 0.97 * np.eye(30)[0]
    truth = np.arange(20) % 2

    text = check_answers(
        Predictions(sure, truth, names := truth.astype(str), names, np.zeros(20, bool)), labels, promised
    )["text"]

    assert f"; … ({silent.count(None)} classes). Ask for less" in text
    assert text.count("no images") == 3


def test_without_a_promise_there_is_the_curve_alone() -> None:
    found = check_answers(predictions([0.9, 0.8], [0, 1], [True, False]), LABELS, None)

    assert (found["promised"], found["answered"], found["per_class"], found["text"]) == (None, None, [], "")
    assert found["curve"]["risk"] == [0.0, 0.5]
    assert found["area"] == 0.25


def test_a_split_that_is_as_the_one_of_the_promise_is_judged_alike() -> None:
    rng = np.random.default_rng(4)
    sure = rng.uniform(0.4, 1.0, 500)
    split = predictions(sure, rng.integers(0, 3, 500), rng.random(500) < sure**0.2)
    options = AnswerOptions(precision=0.9, per_class=True)

    promised = find_thresholds(
        split.probabilities, split.labels, split.names.tolist(), [0] * len(split), LABELS, options
    )

    assert promised is not None
    rows = check_answers(split, LABELS, promised)["per_class"]
    assert [row["images"] for row in rows] == [one["images"] for one in promised["found"]]
    for row, one in zip(rows, promised["found"], strict=True):
        assert row["answered"]["value"] == pytest.approx(one["answered"] / one["images"])
        assert row["precision"]["value"] == pytest.approx(one["precision"])
