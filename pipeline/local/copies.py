"""What a person sees of a run's augmented copies: how many an original has, by class, and where that is a lot."""

from typing import Any

from rich.console import Console

from components.report.copies import REMEDY, REST
from components.split.copies import cells_of, copies_by_class, left_out, too_many


def show_copies(console: Console, summary: dict[str, Any]) -> None:
    """Show a line a balanced split, what the bound leaves out, and a warning.

    Args:
        console: reaches the person.
        summary: of SplitBalanceAugment.
    """
    cells = cells_of(summary["counts"])
    rest = left_out(cells, summary.get("max_copies_per_image"), REST)
    for line in filter(None, (*copies_by_class(cells), rest)):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if warning := too_many(cells, REMEDY):
        console.print(f"Warning: {warning}", style="yellow", highlight=False, markup=False, soft_wrap=True)
