import itertools
import math
import random
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.split.plan import Plan, Rules, exact, make_plan

# Images a class of the Facial Affect Dataset before it was split: 29,042.
AFFECT = (3218, 2871, 2477, 3176, 5044, 5126, 3091, 4039)


def plan_of(
    groups: list[tuple[str, str]],
    *,
    train: str = "0.8",
    evaluation: str | None = None,
    balanced: tuple[str, ...] = (),
    multiplier: str = "1",
    seed: int = 27,
    splits: list[str] | None = None,
) -> Plan:
    """A plan of images given as (label, group)."""
    shares = {"train": exact(train)}
    if evaluation:
        shares["eval"] = exact(evaluation)
    shares["test"] = 1 - sum(shares.values(), Fraction(0))
    ids = [f"{label}/{i}.jpg" for i, (label, _) in enumerate(groups)]
    return make_plan(
        Rules(shares, balanced, exact(multiplier), seed),
        labels=[label for label, _ in groups],
        digests=[f"{i:064x}" for i in range(len(groups))],
        ids=ids,
        groups=[group for _, group in groups],
        given=splits,
    )


def singles(*counts: int) -> list[tuple[str, str]]:
    return [(f"class{c}", f"{c}-{i}") for c, count in enumerate(counts) for i in range(count)]


def totals(plan: Plan) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for cell in plan.cells:
        counts[cell.split] += cell.originals + cell.copies
    return dict(counts)


def test_without_balancing_each_class_is_divided_at_its_share() -> None:
    assert totals(plan_of(singles(*AFFECT))) == {"train": 23_234, "test": 5_808}


@pytest.mark.parametrize(
    ("multiplier", "train", "test"),
    [("1", 4_101, 1_025), ("2", 8_202, 2_050), ("3", 12_303, 3_075), ("1.0", 4_101, 1_025), ("1.1", 4_512, 1_128)],
)
def test_balancing_gives_the_published_counts_of_every_class(multiplier: str, train: int, test: int) -> None:
    plan = plan_of(singles(*AFFECT), balanced=("train", "test"), multiplier=multiplier)
    for cell in plan.cells:
        assert cell.originals + cell.copies == {"train": train, "test": test}[cell.split]
    assert totals(plan) == {"train": 8 * train, "test": 8 * test}


@pytest.mark.parametrize(
    ("multiplier", "side", "test"), [("1", 32_808, 8_200), ("3", 98_424, 24_600), ("1.7", 55_776, 13_944)]
)
def test_with_three_splits_balanced_train_and_eval_hold_the_published_train_counts(
    multiplier: str, side: int, test: int
) -> None:
    plan = plan_of(
        singles(*AFFECT), train="0.7", evaluation="0.1", balanced=("train", "eval", "test"), multiplier=multiplier
    )
    counts = totals(plan)
    assert (counts["train"] + counts["eval"], counts["test"]) == (side, test)


def test_a_share_is_the_decimal_that_was_typed() -> None:
    # 0.7 × 45 is 31.5 and rounds up; the float 0.7 × 45 is 31.499999999999996.
    assert 0.7 * 45 < 31.5
    assert totals(plan_of(singles(45), train="0.7")) == {"train": 32, "test": 13}


def test_a_target_below_the_originals_deletes_none() -> None:
    group = [("a", "big")] * 9 + [("a", "small")]
    plan = plan_of([*group, *singles(1, 1)], balanced=("train", "test"))
    assert sum(cell.originals for cell in plan.cells) == 12
    cells = {(cell.label, cell.split): cell for cell in plan.cells}
    assert cells["a", "train"].originals == 9
    assert cells["a", "train"].deviation == 1


def test_copies_are_spread_evenly_over_the_originals() -> None:
    plan = plan_of(singles(7, 100), balanced=("train",), multiplier="2")
    for label in (0, 1):
        for split in (0, 1):
            members = [
                int(copies)
                for (name, _), where, copies in zip(singles(7, 100), plan.split_of, plan.copies_of, strict=True)
                if name == f"class{label}" and where == split
            ]
            assert max(members) - min(members) <= 1


def test_the_order_of_the_images_does_not_matter() -> None:
    images = [(f"class{i % 3}", f"group{i // 2 if i < 60 else i}") for i in range(200)]
    digests = [f"{i * 7919 % 200:064x}" for i in range(200)]
    rules = Rules({"train": exact("0.7"), "test": exact("0.3")}, ("train",), exact("1.5"), 3)

    def fates(order: list[int]) -> dict[int, tuple[int, int]]:
        plan = make_plan(
            rules,
            labels=[images[i][0] for i in order],
            digests=[digests[i] for i in order],
            ids=[str(i) for i in order],
            groups=[images[i][1] for i in order],
        )
        return {i: (int(plan.split_of[at]), int(plan.copies_of[at])) for at, i in enumerate(order)}

    shuffled = list(range(200))
    random.Random(0).shuffle(shuffled)
    assert fates(list(range(200))) == fates(shuffled)


def test_another_seed_gives_another_split() -> None:
    first, second = plan_of(singles(100), seed=1), plan_of(singles(100), seed=2)
    assert (first.split_of != second.split_of).any()


def test_given_test_images_stay_and_eval_is_cut_from_the_rest() -> None:
    images = singles(60, 30)
    splits = ["test" if i % 3 == 0 else "train" for i in range(90)]
    plan = plan_of(images, train="0.7", evaluation="0.1", splits=splits)
    assert [plan.splits[s] == "test" for s in plan.split_of] == [split == "test" for split in splits]
    assert {(c.label, c.split): c.originals for c in plan.cells} == {
        ("class0", "train"): 35, ("class0", "eval"): 5, ("class0", "test"): 20,
        ("class1", "train"): 18, ("class1", "eval"): 2, ("class1", "test"): 10,
    }  # fmt: skip


def test_a_group_that_crosses_the_given_splits_is_a_leak() -> None:
    plan = plan_of([*singles(10), ("class0", "same"), ("class0", "same")], splits=["train"] * 11 + ["test"])
    assert plan.leaks == (("same", ("train", "test")),)


def test_a_split_without_originals_gets_no_copies_and_shows_the_deviation() -> None:
    plan = plan_of(singles(1, 10), balanced=("train", "test"))
    cell = next(c for c in plan.cells if c.label == "class0" and c.split == "test")
    assert (cell.originals, cell.copies, cell.planned, cell.deviation) == (0, 0, 2, -2)


@pytest.mark.parametrize(
    ("shares", "multiplier", "message"),
    [({"train": Fraction(1), "test": Fraction(1)}, Fraction(1), "sum to 1"),
     ({"train": Fraction(1)}, Fraction(1, 2), "at least 1")],
)  # fmt: skip
def test_impossible_rules_are_errors(shares: dict[str, Fraction], multiplier: Fraction, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Rules(shares, (), multiplier, 0)


GROUPED = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 14)), min_size=1, max_size=60)


@settings(max_examples=300, deadline=None)
@given(
    images=GROUPED,
    alone=st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30)),
    three=st.booleans(),
    balanced=st.booleans(),
    seed=st.integers(0, 5),
)
def test_no_group_is_divided_and_no_image_lost(
    images: list[tuple[int, int]], alone: tuple[int, int, int], three: bool, balanced: bool, seed: int
) -> None:
    items = [(f"class{label}", f"group{group}") for label, group in images] + singles(*alone)
    names = ("train", "eval", "test") if three else ("train", "test")
    plan = plan_of(items, evaluation="0.1" if three else None, balanced=names if balanced else (), seed=seed)
    where: dict[str, set[int]] = {}
    for (_, group), split in zip(items, plan.split_of.tolist(), strict=True):
        where.setdefault(group, set()).add(split)
    assert all(len(splits) == 1 for splits in where.values())
    assert plan.leaks == ()
    assert min(plan.split_of) >= 0
    assert sum(cell.originals for cell in plan.cells) == len(items)
    assert sum(cell.copies for cell in plan.cells) == int(plan.copies_of.sum())
    if balanced:
        assert all(cell.deviation >= 0 or cell.originals == 0 for cell in plan.cells)
    else:
        assert all(cell.copies == 0 for cell in plan.cells)


@settings(max_examples=150, deadline=None)
@given(
    groups=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(any), min_size=1, max_size=7),
    alone=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    three=st.booleans(),
)
def test_counts_are_as_near_as_any_assignment_of_groups_could_make_them(
    groups: list[tuple[int, int]], alone: tuple[int, int], three: bool
) -> None:
    items = [(f"class{c}", f"group{g}") for g, sizes in enumerate(groups) for c in (0, 1) for _ in range(sizes[c])]
    items += singles(*alone)
    plan = plan_of(items, train="0.6", evaluation="0.2" if three else None)
    deviation = sum(abs(cell.deviation) for cell in plan.cells)

    whole = Counter(group for _, group in items)
    fixed = [Counter(label for label, of in items if of == group) for group in whole if whole[group] > 1]
    loose = Counter(label for label, of in items if whole[of] == 1)
    classes = sorted({label for label, _ in items})
    wanted = {(cell.label, cell.split): cell.planned for cell in plan.cells}
    best = math.inf
    for choice in itertools.product(plan.splits, repeat=len(fixed)):
        placed: Counter[tuple[str, str]] = Counter()
        for group, split in zip(fixed, choice, strict=True):
            for label, count in group.items():
                placed[label, split] += count
        total = 0
        for label in classes:
            gaps = [wanted[label, split] - placed[label, split] for split in plan.splits]
            total += sum(-gap for gap in gaps if gap < 0) + sum(gap for gap in gaps if gap > 0) - loose[label]
        best = min(best, total)
    assert deviation == best
