"""Bounds on copies and other targets than the largest class."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_plan import plan_of, singles

from components.split.copies import cells_of, copies_by_class, counts_of, left_out, too_many
from components.split.fill import Target
from components.split.plan import Plan, Rules, make_plan


def plan(
    *counts: int, balanced: tuple[str, ...] = ("train",), bound: int | None = None, target: Target = "largest"
) -> Plan:
    """Seven, one and two tenths of so many images of each class."""
    images = singles(*counts)
    shares = {"train": Fraction(7, 10), "eval": Fraction(1, 10), "test": Fraction(2, 10)}
    return make_plan(
        Rules(shares, balanced, Fraction(1), 27, bound, target),
        labels=[label for label, _ in images],
        digests=[f"{index:064x}" for index in range(len(images))],
        ids=[f"{label}/{group}.jpg" for label, group in images],
        groups=[group for _, group in images],
    )


def images(plan: Plan, split: str = "train") -> dict[str, tuple[int, int, int]]:
    """Originals, copies and what is missing, by class."""
    return {c.label: (c.originals, c.copies, c.missing) for c in plan.cells if c.split == split}


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(1, 60), min_size=2, max_size=5),
    bound=st.integers(1, 30),
    target=st.sampled_from(["largest", "median", 1, 40, 300]),
    balanced=st.sampled_from([("train",), ("train", "eval", "test"), ("test",)]),
)
def test_no_image_has_more_copies_than_the_bound_and_no_class_fewer_than_it_may(
    counts: list[int], bound: int, target: Target, balanced: tuple[str, ...]
) -> None:
    free = plan(*counts, balanced=balanced, target=target)
    bounded = plan(*counts, balanced=balanced, target=target, bound=bound)

    assert bounded.copies_of.max() <= bound
    assert (bounded.split_of == free.split_of).all()
    for with_bound, without in zip(bounded.cells, free.cells, strict=True):
        assert with_bound.copies == min(without.copies, bound * without.originals)
        assert with_bound.copies + with_bound.missing == without.copies
        assert with_bound.deviation == without.deviation  # a bound isn't a fault of the groups


def test_a_bound_that_nothing_reaches_changes_nothing() -> None:
    assert (plan(700, 90, 50, bound=20).copies_of == plan(700, 90, 50).copies_of).all()
    assert images(plan(700, 90, 50, bound=20)) == images(plan(700, 90, 50))


def test_the_median_fills_up_small_classes_and_leaves_large_ones() -> None:
    assert images(plan(1000, 100, 10, target="median")) == {
        "class0": (700, 0, 0),
        "class1": (70, 0, 0),
        "class2": (7, 63, 0),
    }
    # Between the two in the middle, 100 and 30.
    assert images(plan(1000, 100, 30, 10, target="median"))["class3"] == (7, 39, 0)
    assert [cell for cell in plan(1000, 100, 10, target="median").cells if cell.deviation] == []


def test_a_number_is_that_of_the_images_in_train() -> None:
    several = plan(1000, 100, 10, balanced=("train", "test"), target=140)

    assert images(several) == {"class0": (700, 0, 0), "class1": (70, 70, 0), "class2": (7, 133, 0)}
    assert images(several, "test") == {"class0": (200, 0, 0), "class1": (20, 20, 0), "class2": (2, 38, 0)}


@pytest.mark.parametrize("rules", [{"max_copies": 0}, {"target": 0}, {"target": -1}])
def test_impossible_numbers_are_refused(rules: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Rules({"train": Fraction(1)}, (), Fraction(1), 0, **rules)  # type: ignore[arg-type]


def test_copies_that_the_data_came_with_count() -> None:
    # Two originals with three copies each, beside twenty of another class.
    labels = ["few"] * 8 + ["many"] * 20
    found = make_plan(
        Rules({"train": Fraction(1)}, ("train",), Fraction(1), 27, max_copies=5),
        labels=labels,
        digests=[f"{index:064x}" for index in range(28)],
        ids=[str(index) for index in range(28)],
        groups=[str(index) for index in range(28)],
        augmented=[2 <= index < 8 for index in range(28)],
    )

    assert Counter(found.copies_of.tolist()) == {2: 2, 0: 26}
    assert images(found)["few"] == (2, 10, 8)


def test_what_is_said_of_copies() -> None:
    cells = plan(1000, 100, 10, bound=30).cells

    assert copies_by_class(cells) == ["Copies per original in train: class2 30.0, class1 9.0."]
    assert left_out(cells, 30, "The loss makes up") == (
        "Filled up no further, since an image has 30 copies at most: class2 in train 217 of 700 images. "
        "The loss makes up."
    )
    assert too_many(cells, "Bound them") == (
        "More than 20 copies of an original add little to learn from: class2 in train 30.0 of each of 7. Bound them."
    )


def test_nothing_is_said_where_there_is_nothing_to_say() -> None:
    cells = plan_of(singles(30, 30)).cells

    assert copies_by_class(cells) == []
    assert left_out(cells, None, "") is None
    assert too_many(plan(21, 21, bound=20).cells, "") is None


def test_the_counts_of_a_summary_say_the_same_and_those_of_an_earlier_program_can_be_read() -> None:
    made = plan(1000, 100, 10, bound=30)
    counts = counts_of(made)

    assert copies_by_class(cells_of(counts)) == copies_by_class(made.cells)
    for by_label in counts.values():
        for one in by_label.values():
            del one["missing"]
    assert copies_by_class(cells_of(counts)) == copies_by_class(made.cells)
    assert left_out(cells_of(counts), None, "") is None


def test_many_classes_are_not_all_listed() -> None:
    [line] = copies_by_class(plan(*[1000, *range(20, 40)]).cells)

    assert line.endswith(" and 12 more.")
