"""Who is better than the simple baselines, and what those hear who aren't."""

from typing import Any

import numpy as np
import pytest

from components.evaluator.beaten import describe, hold_against, not_beaten

LABELS = ["anger", "neutral"]
ALL = {"value": 0.0, "low": 0.0, "high": 1.0}


def held(truth: str, candidate: str, linear: str, balanced: float = 0.5) -> list[dict[str, Any]]:
    """Baselines beside answers, a digit an image."""
    classes, new, other = (np.array([int(digit) for digit in one]) for one in (truth, candidate, linear))
    largest = int(np.bincount(classes).argmax())
    shares = {"largest_class": (classes == largest).mean(), "linear_model": (other == classes).mean()}
    measured: dict[str, Any] = {
        name: {"metrics": {"accuracy": ALL | {"value": share}, "balanced_accuracy": ALL | {"value": balanced}}}
        for name, share in shares.items()
    }
    measured["largest_class"]["label"] = LABELS[largest]
    groups, copies = np.arange(len(classes)), np.zeros(len(classes), bool)
    return hold_against(measured, LABELS, classes, new, other, groups, copies)


@pytest.mark.parametrize(
    ("candidate", "linear", "beaten"),
    [
        ("1111111100", "1111111110", [True, True]),
        ("1111111110", "1111111100", [True, False]),
        ("1111111100", "1111111100", [True, False]),  # as good is no better
        ("1111111111", "0000000000", [False, True]),
        ("0101010101", "1111111000", [False, False]),
        ("1111110001", "1111111100", [True, True]),
    ],
)
def test_better_is_who_has_more_images_right(candidate: str, linear: str, beaten: list[bool]) -> None:
    found = held("1111110000", candidate, linear)

    assert [one["beaten"] for one in found] == beaten
    assert [failure["metric"] for failure in not_beaten(found, 0.5)] == [
        one["name"] for one in found if not one["beaten"]
    ]


def test_nobody_is_asked_for_more_than_all() -> None:
    assert [one["beaten"] for one in held("1100", "1100", "1100")] == [True, True]
    assert [one["beaten"] for one in held("1111", "1111", "1111")] == [True, True]


def test_the_message_says_by_how_much() -> None:
    found = held("1111100000", "0000011101", "1111110000")

    assert [failure["text"] for failure in not_beaten(found, 0.1)] == [
        "test accuracy is 0.100, always saying 'anger' gives 0.500: 0.400 short, 5 more right images are required",
        "test accuracy is 0.100, a linear model on small HOG features gives 0.900: 0.800 short, 9 more right images "
        "are required",
    ]


def test_as_many_right_images_miss_by_one() -> None:
    [failure] = not_beaten(held("1110", "1101", "1101")[1:], 0.5)

    assert failure["text"].endswith("gives 0.500: one more right image is required")


def test_an_accuracy_that_is_no_number_has_failed_before() -> None:
    assert not_beaten(held("1100", "0011", "1100"), None) == []


def test_gains_are_measured_image_by_image() -> None:
    _, linear = held("1111100000", "1111111000", "0011100000")

    gain = linear["gain"]
    assert (gain["only_candidate"], gain["only_baseline"]) == (2, 2)
    assert gain["value"] == 0
    assert gain["low"] == pytest.approx(-gain["high"])
    assert gain["mcnemar_p"] == 1.0


def test_a_baseline_that_is_better_on_rare_classes_is_named() -> None:
    found = held("1111100000", "1111111000", "1111000111", balanced=0.6)

    assert "(0.000 – 1.000). But" not in describe(found, 0.7)
    assert "always saying 'anger' gives 0.500 (0.000 – 1.000)" in describe(found, 0.7)
    assert describe(found, 0.55).endswith(
        " But in balanced accuracy a linear model on small HOG features gives 0.600 and this model 0.550: rare classes "
        "are where it fails."
    )


def test_a_model_that_is_worse_all_round_is_not_said_to_fail_on_rare_classes() -> None:
    found = held("1111100000", "0000011111", "1111111000", balanced=0.6)

    assert "rare classes" not in describe(found, 0.4)
    assert describe(found, 0.4).endswith(
        " In balanced accuracy, too, a linear model on small HOG features gives 0.600 and this model 0.400."
    )
