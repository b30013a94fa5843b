"""What a person sees of a split, done or planned: a row a class, and what is unusual about it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.datasplit.request import Outcome
from components.split.copies import left_out, too_many
from components.split.plan import Cell
from components.tools.console import say, uncut_console
from components.tools.printable import printable
from components.tools.wording import counted

_NAMED = 10


def show(outcome: Outcome, console: Console, seconds: float, dry_run: bool) -> None:
    """Print the plan's table to standard output, and what there is to say of it to the console."""
    table = Table(title="Plan (nothing was written)" if dry_run else None)
    table.add_column("class")
    for split in ("train", "test"):
        table.add_column(f"{split}: originals", justify="right")
        table.add_column("augmented", justify="right")
        table.add_column("per original", justify="right")
    cells = {(cell.label, cell.split): cell for cell in outcome.cells}
    labels = sorted({cell.label for cell in outcome.cells})
    for label in labels:
        table.add_row(Text(printable(label)), *_numbers(cells[label, split] for split in ("train", "test")))
    totals = [
        replace(cells[labels[0], split], **{
            kind: sum(getattr(cells[label, split], kind) for label in labels) for kind in ("originals", "copies")
        })
        for split in ("train", "test")
    ]  # fmt: skip
    table.add_section()
    table.add_row(f"all {sum(cell.originals + cell.copies for cell in totals):,}", *_numbers(totals))
    uncut_console().print(table)
    deviations = [cell for cell in outcome.cells if cell.deviation]
    for cell in deviations[:_NAMED]:
        why = "there is no original to copy" if not cell.originals else "groups can't be divided"
        images = counted(cell.originals + cell.copies, "image")
        say(console, f"{cell.label}, {cell.split}: {images} instead of {cell.planned:,}, since {why}.")
    if len(deviations) > _NAMED:
        say(console, f"… and {len(deviations) - _NAMED:,} more, which the table has.")
    bound = outcome.request.max_copies
    remedy = "Weigh the classes in the loss, as train.imbalance of the pipeline does"
    if text := left_out(outcome.cells, bound, remedy):
        say(console, text)
    if text := too_many(outcome.cells, f"{remedy}, and set --max-copies-per-image"):
        say(console, f"Warning: {text}", "yellow")
    if outcome.unusable:
        one, several = "file can't be used (listed above); it was", "files can't be used (listed above); they were"
        where = "where it is" if outcome.unusable == 1 else "where they are"
        console.print(f"{counted(outcome.unusable, one, several)} left {where}.")
    if not dry_run:
        rate = f", {outcome.written / seconds:,.0f} images/s" if seconds > 0 else ""
        console.print(f"Done in {seconds:.1f} s{rate}, seed {outcome.request.seed}.")


def _numbers(cells: Iterable[Cell]) -> Iterator[str]:
    """Yield originals, copies, and copies per original."""
    for cell in cells:
        yield f"{cell.originals:,}"
        yield f"{cell.copies:,}"
        yield f"{cell.copies_per_original:.1f}" if cell.copies else ""
