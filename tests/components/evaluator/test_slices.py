"""How a table's columns divide images, and what is said of the slices."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from components.evaluator.options import EvaluateOptions
from components.evaluator.slice_plan import MOST_SLICES, Column, SlicePlan, plan_slices
from components.evaluator.slices import Key, evidence_of, judge_slices, too_weak

LABELS = ("cat", "dog")


def plan(columns: Mapping[str, Sequence[str]], slice_on: Any = None, most: int = 20) -> SlicePlan:
    """Plan for images of two classes by turns, whose columns have these values."""
    rows = [tuple(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return plan_slices([(LABELS[index % 2], row) for index, row in enumerate(rows)], slice_on, most)


def judged(
    right: Mapping[str, tuple[int, int]],
    groups: Sequence[int] | None = None,
    copies: Sequence[bool] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Judge the slices by camera, of each of which so many images are right of so many."""
    column = SlicePlan((Column("camera"),), (("camera",),), (("note", "it is long"),))
    texts = [[name] for name, (_, images) in right.items() for _ in range(images)]
    hits = np.array([number < correct for correct, images in right.values() for number in range(images)])
    numbers = np.arange(len(hits)) if groups is None else np.array(groups)
    augmented = np.zeros(len(hits), bool) if copies is None else np.array(copies)
    evidence = evidence_of(column, texts, hits, numbers, augmented)
    measured: dict[Key, tuple[int, float]] = {
        (("camera", name),): (images, correct / images) for name, (correct, images) in right.items()
    }
    return judge_slices(measured, evidence, column, EvaluateOptions(**options), float(hits.mean()))


def test_few_values_are_slices_each_and_what_is_not_given_is_one_of_its_own() -> None:
    [column] = plan({"camera": ["a", "b", "b", ""] * 5}).columns

    assert [column.slice_of(value) for value in ("a", "b", "")] == ["a", "b", "not given"]


def test_many_numbers_are_sliced_by_quarters_of_the_images() -> None:
    values = 2 * [str(number) for number in range(1, 99)] + ["99,0", "99", "1e2", "100.0", "", ""]
    [column] = plan({"age": values}).columns

    counts = [column.slice_of(value) for value in values]

    ranges = ["up to 25", "over 25, up to 50", "over 50, up to 75", "over 75"]
    assert {name: counts.count(name) for name in ranges} == dict.fromkeys(ranges, 50)
    assert counts.count("not given") == 2


def test_numbers_that_are_mostly_one_make_no_empty_slices() -> None:
    values = ["0"] * 80 + [str(number) for number in range(1, 41)]
    [column] = plan({"exposure": values}).columns

    assert sorted({column.slice_of(value) for value in values}) == ["over 0, up to 10", "over 10", "up to 0"]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([""] * 60, "no image has a value"),
        (["x"] * 60, "all images have the same value, x"),
        (["feline", "canine"] * 30, "it divides the images as the classes do"),
        ([f"roll {number}" for number in range(60)], "60 different texts, and evaluate.max_slice_values is 20: raise"),
        ([str(1000 + number) for number in range(60)], "its numbers look like names of images or people"),
    ],
)
def test_a_column_that_says_nothing_is_left_out_with_the_reason(values: list[str], why: str) -> None:
    found = plan({"camera": ["a", "b", "c"] * 20, "it": values})

    assert found.slicings == (("camera",),)
    [(name, reason)] = found.left_out
    assert name == "it"
    assert reason.startswith(why)


def test_numbers_of_people_are_no_quantity_unless_somebody_says_so() -> None:
    columns = {"subject_id": [str(number // 2) for number in range(60)]}

    assert plan(columns).slicings == ()
    assert plan(columns, ["subject_id"]).slicings == (("subject_id",),)


def test_named_columns_and_pairs_are_sliced_by_and_no_others() -> None:
    columns = {"camera": ["a", "b", "c"] * 20, "sex": ["f", "f", "m", "m"] * 15, "constant": ["x"] * 60}

    found = plan(columns, ["constant", ("camera", "sex")])

    assert found.slicings == (("constant",), ("camera", "sex"))
    assert [column.name for column in found.columns] == ["constant", "camera", "sex"]
    assert found.left_out == ()


@pytest.mark.parametrize(
    ("slice_on", "message"),
    [
        (["Camera"], "evaluate.slice_on names Camera, which data.metadata_csv hasn't. It has camera, note"),
        ([("camera", "note")], "evaluate.slice_on names note, which has 60 different texts"),
    ],
)
def test_what_cannot_be_sliced_by_is_refused(slice_on: Any, message: str) -> None:
    columns = {"camera": ["a", "b"] * 30, "note": [f"roll {number}" for number in range(60)]}

    with pytest.raises(ValueError, match=message):
        plan(columns, slice_on)


def test_a_thousand_columns_make_no_more_slices_than_can_be_measured() -> None:
    columns = {f"column {number}": [str((row + number) % 10) for row in range(60)] for number in range(1000)}
    found = plan(columns)

    assert len(found.slicings) == MOST_SLICES // 10
    assert found.beyond == 950
    [reason] = {reason for _, reason in found.left_out}
    assert reason.endswith("name it in evaluate.slice_on")
    assert plan(columns, ["column 999"]).slicings == (("column 999",),)
    with pytest.raises(ValueError, match="^evaluate.slice_on makes 10,000 slices, and 500 is the most: name fewer"):
        plan(columns, list(columns))


@pytest.mark.parametrize("slice_on", [[["a"]], [["a", "a"]], [["a", "b", "c"]], ["a", "a"], [["a", "b"], ["b", "a"]]])
def test_slices_that_cannot_be_meant_are_no_option(slice_on: Any) -> None:
    with pytest.raises(ValueError, match=r"slice_on\n.*takes"):
        EvaluateOptions(slice_on=slice_on)


def test_the_worst_comes_first_with_wilsons_interval_and_small_slices_last() -> None:
    found = judged({"good": (90, 100), "bad": (60, 100), "few": (0, 10), "tiny": (0, 2)})

    assert [(row["values"], row["judged"]) for row in found["rows"]] == [
        (["bad"], True),
        (["good"], True),
        (["few"], False),
        (["tiny"], False),
    ]
    for row, right in zip(found["rows"], (60, 90, 0, 0), strict=True):
        reference = binomtest(right, row["examples"]).proportion_ci(0.95, method="wilson")
        assert (row["low"], row["high"]) == pytest.approx((reference.low, reference.high))
    # Two slices are looked at: together their intervals hold 95 %.
    reference = binomtest(60, 100).proportion_ci(0.975, method="wilson")
    assert (found["worst"]["joint_low"], found["worst"]["joint_high"]) == pytest.approx((reference.low, reference.high))
    assert found["judged"] == 2
    assert found["left_out"] == [{"column": "note", "reason": "it is long"}]


def test_the_worst_of_equally_good_slices_is_seldom_called_worse_than_chance_explains() -> None:
    rng = np.random.default_rng(0)
    called = []
    for _ in range(300):
        right = {str(name): (int(rng.binomial(60, 0.8)), 60) for name in range(10)}
        called.append("more than chance" in judged(right)["text"])

    assert np.mean(called) < 0.05
    assert "more than chance" in judged({"a": (30, 60)} | {str(name): (50, 60) for name in range(9)})["text"]


def test_images_of_one_person_and_copies_are_not_many_images() -> None:
    right = {"a": (45, 60), "b": (48, 60)}
    alone, of_8_people = judged(right), judged(right, groups=[index // 15 for index in range(120)])
    copied = judged(right, groups=[index // 2 for index in range(120)], copies=[index % 2 > 0 for index in range(120)])

    assert [row["effective"] for row in alone["rows"]] == [60, 60]
    assert of_8_people["rows"][0]["effective"] < 20
    assert "(60 images, worth " in of_8_people["text"]
    assert of_8_people["rows"][0]["high"] > alone["rows"][0]["high"] + 0.05
    assert copied["judged"] == 0
    assert copied["worst"] is None
    assert copied["text"].startswith("No slice is judged: none of 2 has 50 test images (evaluate.min_slice_images). ")
    assert too_weak(copied) == []


def test_a_weak_slice_is_named_with_count_accuracy_bound_and_what_chance_may_do() -> None:
    found = judged({"a": (36, 60), "b": (40, 60), "c": (55, 60)}, min_slice_accuracy=0.7)

    [failure] = too_weak(found)

    assert failure["text"] == (
        "test accuracy on the slice camera = a is 0.600 (60 images; 95 % for all 3 judged slices at once: 0.446 – "
        "0.736), at least 0.700 is required of each slice; chance may explain it: more test images of that slice would "
        "tell; below that, too: camera = b (0.667)"
    )
    assert (failure["value"], failure["bound"]) == (0.6, 0.7)
    assert [row["missed"] for row in found["rows"]] == [True, True, False]
    reached = judged({"a": (42, 60), "b": (60, 60)}, min_slice_accuracy=0.7 + 1e-8)  # in float32
    assert too_weak(reached) == []
    assert not any(row["missed"] for row in reached["rows"])
    assert too_weak(judged({"a": (36, 60), "b": (60, 60)})) == []  # nobody asked for it
