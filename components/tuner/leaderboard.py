"""The trials of a search as a table: one row a trial, the best first, failed ones last with their cause."""

from collections.abc import Sequence
from typing import Any, TypedDict


class Row(TypedDict):
    """A trial; figures are None where it failed."""

    architecture: str
    parameters: int | None
    epochs: int
    eval_accuracy: float | None
    eval_macro_f1: float | None
    seconds: float | None
    images_per_second: float | None
    status: str  # "completed" or "failed"
    error: str | None
    hyperparameters: dict[str, Any]
    chosen: bool


def failed_row(choices: dict[str, Any], architecture: str, epochs: int, error: BaseException) -> Row:
    """Return the row of a trial that raised."""
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
        hyperparameters=choices,
        chosen=False,
    )


def rank(rows: Sequence[Row]) -> list[Row]:
    """Sort by accuracy on eval, then macro-F1, then fewer parameters; mark the first as chosen.

    Raises:
        RuntimeError: no trial was completed.
    """

    def merit(row: Row) -> tuple[float, float, float]:
        return row["eval_accuracy"] or 0.0, row["eval_macro_f1"] or 0.0, -(row["parameters"] or 0)

    completed = sorted((row for row in rows if row["status"] == "completed"), key=merit, reverse=True)
    failed = [row for row in rows if row["status"] != "completed"]
    if not completed:
        causes = "; ".join(f"{row['hyperparameters']}: {row['error']}" for row in failed)
        raise RuntimeError(f"All {len(failed)} trials failed. {causes}")
    return [Row(**{**row, "chosen": index == 0}) for index, row in enumerate([*completed, *failed])]  # type: ignore[typeddict-item]
