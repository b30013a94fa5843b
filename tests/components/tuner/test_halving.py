import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.tuner.halving import Halving, Merit


def search(plan: Halving, merit: Callable[[int, int], float | None]) -> list[tuple[tuple[int, ...], int]]:
    """Run a plan to its end; `merit` is a candidate's at some epoch. Return its rungs."""
    rungs = []
    while (rung := plan.next_rung()) is not None:
        rungs.append((rung.candidates, rung.epochs))
        for candidate in rung.candidates:
            value = merit(candidate, rung.epochs)
            plan.report(candidate, rung.epochs, None if value is None else (value,))
    return rungs


def test_the_better_half_goes_on_for_twice_the_epochs() -> None:
    plan = Halving([1.0] * 4, epochs=32, budget=4.0, first=2)

    rungs = search(plan, lambda candidate, _: float(candidate))

    assert rungs == [((0, 1, 2, 3), 2), ((3, 2), 4)]
    assert plan.alive == [3]
    assert plan.dropped == {
        1: "not in the better half at 2 epochs",
        0: "not in the better half at 2 epochs",
        2: "not in the better half at 4 epochs",
    }


def test_who_is_good_later_only_is_lost_and_who_gets_better_wins() -> None:
    plan = Halving([1.0] * 4, epochs=32, budget=4.0, first=2)

    search(plan, lambda candidate, epochs: {0: 0.4, 1: 0.3, 2: 0.2, 3: 0.1}[candidate] + (epochs > 2) * candidate)

    assert plan.alive == [1]


def test_all_begin_with_what_half_of_the_budget_pays_for() -> None:
    assert Halving([1.0, 2.0, 2.0], epochs=30, budget=2.0).first == 6  # 6 · 5 of 60
    assert Halving([1.0, 99.0], epochs=4, budget=1.0).first == 1
    assert Halving([1.0], epochs=4, budget=99.0).first == 4


def test_what_failed_is_left_behind() -> None:
    plan = Halving([1.0] * 3, epochs=8, budget=9.0, first=1)

    rungs = search(plan, lambda candidate, _: None if candidate == 2 else float(candidate))

    assert rungs == [((0, 1, 2), 1)]
    assert plan.alive == [1]


def test_if_all_fail_none_is_left() -> None:
    plan = Halving([1.0] * 2, epochs=8, budget=9.0)

    search(plan, lambda *_: None)

    assert plan.alive == []


def test_a_pair_that_cannot_be_paid_for_is_decided_at_once() -> None:
    plan = Halving([1.0, 1.0, 1.0], epochs=8, budget=1.0, first=2)

    rungs = search(plan, lambda candidate, _: float(candidate))

    assert rungs == [((0, 1, 2), 2)]
    assert plan.dropped[1] == "worse at 2 epochs, and the budget has no room for both"


@given(
    costs=st.lists(st.floats(0.5, 10.0), min_size=1, max_size=9),
    epochs=st.integers(1, 200),
    budget=st.floats(0.5, 8.0),
    merits=st.randoms(use_true_random=False),
)
def test_no_search_costs_more_than_its_budget_beyond_the_first_epoch(
    costs: list[float], epochs: int, budget: float, merits: object
) -> None:
    plan = Halving(costs, epochs, budget)

    rungs = search(plan, lambda *_: merits.random())  # type: ignore[attr-defined]

    [best] = plan.alive
    assert plan.spent <= max(sum(costs), budget * epochs * costs[best]) * (1 + 1e-9)
    assert set(plan.dropped) == set(range(len(costs))) - {best}
    assert plan.reached[best] == max(plan.reached) <= epochs
    assert all(later[1] <= 2 * earlier[1] for earlier, later in itertools.pairwise(rungs))


def test_equal_merits_go_to_the_one_listed_first() -> None:
    plan = Halving([1.0] * 2, epochs=8, budget=9.0)
    merit: Merit = (0.5, 0.5)

    while (rung := plan.next_rung()) is not None:
        for candidate in rung.candidates:
            plan.report(candidate, rung.epochs, merit)

    assert plan.alive == [0]


@pytest.mark.parametrize("first", [3, 50])
def test_the_first_epochs_can_be_given_but_no_more_than_there_are(first: int) -> None:
    assert Halving([1.0] * 2, epochs=8, budget=2.0, first=first).first == min(first, 8)
