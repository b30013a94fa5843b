from typing import Any

import pytest

from components.tuner.leaderboard import Row, failed_row, rank


def row(architecture: str, accuracy: float, f1: float = 0.5, parameters: int = 10, epochs: int = 1) -> Row:
    return Row(
        architecture=architecture,
        parameters=parameters,
        epochs=epochs,
        eval_accuracy=accuracy,
        eval_macro_f1=f1,
        seconds=1.0,
        images_per_second=100.0,
        status="completed",
        error=None,
        dropped="worse",
        hyperparameters={"model.architecture": architecture},
        chosen=False,
    )


FAILED = failed_row({"model.architecture": "bad"}, "bad", 1, ValueError("too small"))


def test_the_most_accurate_comes_first_and_is_chosen() -> None:
    rows = rank([row("a", 0.6), row("b", 0.9), row("c", 0.7)])

    assert [(r["architecture"], r["chosen"]) for r in rows] == [("b", True), ("c", False), ("a", False)]


def test_who_trained_longest_comes_first_and_was_not_dropped() -> None:
    rows = rank([row("quick", 0.9), row("enduring", 0.8, epochs=2)])

    assert [(r["architecture"], r["dropped"]) for r in rows] == [("enduring", None), ("quick", "worse")]


@pytest.mark.parametrize("loser", [{"f1": 0.4}, {"f1": 0.5, "parameters": 11}])
def test_ties_go_to_the_better_macro_f1_then_to_the_smaller_model(loser: dict[str, Any]) -> None:
    assert rank([row("loser", 0.9, **loser), row("winner", 0.9)])[0]["architecture"] == "winner"


def test_failed_trials_come_last_with_their_cause() -> None:
    rows = rank([FAILED, row("a", 0.1)])

    assert [(r["status"], r["error"]) for r in rows] == [("completed", None), ("failed", "ValueError: too small")]


def test_only_failed_trials_are_an_error_with_all_causes() -> None:
    with pytest.raises(RuntimeError, match=r"All 2 trials failed.*too small.*too small"):
        rank([FAILED, FAILED])
