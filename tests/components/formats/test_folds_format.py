"""Which splits of divided Examples a fold's training uses."""

from itertools import product

import pytest

from components.formats.folds import MOST_FOLDS, fold_input, split_name, splits_of_fold


def counts(folds: int) -> dict[str, int]:
    names = [split_name(fold, half, False) for fold, half in product(range(folds), range(2))]
    return dict.fromkeys([*names, split_name(0, 1, True), split_name(folds - 1, 0, True)], 7)


@pytest.mark.parametrize(("folds", "fold"), [(2, 1), (2, 2), (5, 1), (5, 4), (5, 5), (10, 10)])
def test_nothing_that_is_held_out_is_trained_on_or_judged_by(folds: int, fold: int) -> None:
    splits = splits_of_fold(fold, counts(folds))

    assert {name.removesuffix("-copies") for name in (*splits.train, *splits.eval, *splits.held_out)} == {
        name for name in counts(folds) if not name.endswith("-copies")
    }
    assert not {name.removesuffix("-copies") for name in splits.train} & {*splits.eval, *splits.held_out}
    assert not {*splits.eval} & {*splits.held_out}
    assert splits.held_out == (f"fold-{fold}-a", f"fold-{fold}-b")


def test_copies_are_trained_on_alone() -> None:
    splits = splits_of_fold(2, counts(3))  # judged by the first half of the third, which has copies too

    assert splits.eval == ("fold-3-a",)
    assert [name for name in splits.train if name.endswith("-copies")] == ["fold-1-b-copies"]


def test_each_fold_is_judged_by_another() -> None:
    assert {splits_of_fold(fold, counts(10)).eval[0] for fold in range(1, 11)} == {
        f"fold-{fold}-a" for fold in range(1, 11)
    }


def test_no_inputs_name_begins_anothers() -> None:
    names = [fold_input("model", fold) for fold in range(1, MOST_FOLDS + 1)]

    assert not [(one, other) for one in names for other in names if one != other and other.startswith(one)]
