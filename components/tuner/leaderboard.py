"""A search as a table: one row a candidate, the best first, failed ones last with their cause."""

from collections.abc import Sequence
from typing import Any, TypedDict


class Row(TypedDict):
    """A candidate as it stood when it trained last; figures are None where it failed."""

    architecture: str
    parameters: int | None
    epochs: int  # that it was given
    eval_accuracy: float | None
    eval_macro_f1: float | None
    seconds: float | None  # of all its rungs
    images_per_second: float | None
    status: str  # "completed" or "failed"
    error: str | None
    dropped: str | None  # why it trained no further; None for the chosen one
    hyperparameters: dict[str, Any]
    chosen: bool


def failed_row(choices: dict[str, Any], architecture: str, epochs: int, error: BaseException) -> Row:
    """Return the row of a candidate whose training raised."""
    return Row(
        architecture=architecture,
        parameters=None,
        epochs=epochs,
        eval_accuracy=None,
        eval_macro_f1=None,
        seconds=None,
        images_per_second=None,
        status="failed",
        error=f"{type(error).__name__}: {str(error).strip() or 'no message'}"[:500],
        dropped=None,
        hyperparameters=choices,
        chosen=False,
    )


def merit(row: Row) -> tuple[float, ...] | None:
    """Return what rows are compared by: accuracy on eval, macro-F1, then fewer parameters; None where it failed."""
    if row["status"] != "completed":
        return None
    return row["eval_accuracy"] or 0.0, row["eval_macro_f1"] or 0.0, -(row["parameters"] or 0)


def rank(rows: Sequence[Row]) -> list[Row]:
    """Sort by the epochs reached, then by merit; mark the first as chosen.

    Raises:
        RuntimeError: no candidate was trained.
    """
    completed = [row for row in rows if row["status"] == "completed"]
    completed.sort(key=lambda row: (row["epochs"], merit(row)), reverse=True)
    failed = [row for row in rows if row["status"] != "completed"]
    if not completed:
        causes = "; ".join(f"{row['hyperparameters']}: {row['error']}" for row in failed)
        raise RuntimeError(f"{'The only trial' if len(failed) == 1 else f'All {len(failed)} trials'} failed. {causes}")
    best, *others = completed
    return [Row(**{**best, "chosen": True, "dropped": None}), *others, *failed]  # type: ignore[typeddict-item]
