"""Split, balance and augment a folder of images: `python -m components.datasplit --balance path`.

What takes long to import is imported when the work begins, so that `--help` answers at once.
"""

import errno
import os
import secrets
import time
import warnings
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from components.tools.console import say
from components.tools.places import not_writable, why_no_folder
from components.tools.printable import printable_lines

if TYPE_CHECKING:
    from components.datasplit.request import Outcome, Request

_HELP = """Split the images in PATH/train/<label>/… into train and test, and balance the classes with augmented copies.

Without --output-path it works in place: test images move to PATH/test/<label>/, and augmented copies are added.
PATH/train.csv and PATH/test.csv list what is where, PATH/lineage.csv which image each copy was made of (columns: file,
source, copy). JPEG, PNG, WebP and TIFF copies say it in their own comment as well. With --output-path, the same tree is
made there and PATH stays untouched.

A group of images (exact duplicates always; see --near-duplicates and --group-regex) is never divided between train and
test, and an augmented copy stays on the side of its source. The same seed and files give the same bytes, whatever the
number of workers.

Limits: PATH/train must hold one folder a class; images are read by content (JPEG, PNG, BMP, WebP, TIFF, GIF, …, at most
50 million pixels); hidden files, links and what a NAS, an editor or a run of the pipeline leaves are left alone. A
class of which nothing can be used, and a folder that is split already, are refused; an interrupted run goes on, with
its own seed and options, when the command is given again.
"""


class _Decimal(click.ParamType):  # type: ignore[type-arg]
    """A number as it was typed, within limits; kept as text, since 0.7 as a float isn't 7/10."""

    name = "number"

    def __init__(self, low: str, high: str | None, open_low: bool) -> None:
        self._low, self._high, self._open_low = Fraction(low), Fraction(high) if high else None, open_low
        between = f"{'greater than' if open_low else 'at least'} {low}"
        self.limits = between + (f" and less than {high}" if high else "")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the limits."""
        try:
            number = Fraction(str(value))
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} is not a number", param, ctx)
        too_low = number <= self._low if self._open_low else number < self._low
        if too_low or (self._high is not None and number >= self._high):
            self.fail(f"must be {self.limits}. Received: {value}", param, ctx)
        return str(value)


class _Rate(ProgressColumn):
    """Images a second."""

    def render(self, task: Task) -> Text:
        """Show the rate of the whole task."""
        rate = task.completed / task.elapsed if task.elapsed else 0.0
        return Text(f"{rate:,.0f} images/s")


def _folder(context: click.Context, parameter: click.Parameter, path: str) -> str:
    """Refuse a file, such as an archive that `affect run` takes: a split moves files."""
    if not Path(path).is_dir():
        remedy = "unpack it (unzip or tar -xf) and give the folder"
        raise click.BadParameter(f"{path} is a file, and datasplit works on folders: {remedy}", context, parameter)
    return path


def _target(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Refuse what is no target."""
    if value in ("largest", "median") or (value.isascii() and value.isdecimal() and int(value) >= 1):
        return value
    raise click.BadParameter(f"must be largest, median or a number of images. Received: {value}", context, parameter)


_SHARE = _Decimal("0.5", "1", open_low=True)
_MULTIPLIER = _Decimal("1", None, open_low=False)


@click.command(help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.argument("path", type=click.Path(exists=True), callback=_folder)
@click.option("--balance", is_flag=True, help="Balance train and test.")
@click.option("--balance-train", is_flag=True, help="Balance train.")
@click.option("--balance-test", is_flag=True, help="Balance test.")
@click.option(
    "--output-path",
    "--output",
    "output",
    type=click.Path(),
    help="Write there: missing, empty, or an empty train/ in it.",
)
@click.option(
    "--train-split",
    type=_SHARE,
    default="0.8",
    show_default=True,
    help=f"Share of the images in train; {_SHARE.limits}.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Of split and copies; at least 0. [default: random, printed]")
@click.option("--label-col", default="label", show_default=True, help="Column of the class in the CSV files.")
@click.option("--filename-col", default="filename", show_default=True, help="Column of the file name.")
@click.option(
    "--global-multiplier", type=_MULTIPLIER, default="1.0", show_default=True,
    help=f"Images a class relative to --balance-target; {_MULTIPLIER.limits}. No effect without balancing.",
)  # fmt: skip
@click.option(
    "--balance-target", "target", callback=_target, default="largest", show_default=True, metavar="SIZE",
    help="What classes are filled up to: the largest of them, their median, or a number of images in train (in test as "
    "its share says).",
)  # fmt: skip
@click.option(
    "--max-copies-per-image", "max_copies", type=click.IntRange(min=1), metavar="N",
    help="Copies of an image at most. [default: as many as it takes]",
)  # fmt: skip
@click.option(
    "--pipeline-yaml", type=click.Path(exists=True, dir_okay=False),
    help="An Albumentations Compose saved by A.save(…, data_format='yaml'), of version 1.x or 2.x.",
)  # fmt: skip
@click.option("--workers", type=click.IntRange(min=1), help="Processes. [default: one a core, or one for little work]")
@click.option("--group-regex", help="Images in whose names its first group captures the same stay together.")
@click.option(
    "--group-on",
    type=click.Choice(["name", "path"]),
    default="name",
    show_default=True,
    help="Search --group-regex in the file name, or in the path below train.",
)
@click.option("--near-duplicates", is_flag=True, help="Keep near-duplicates together, by perceptual hash.")
@click.option("--dry-run", is_flag=True, help="Print the plan and write nothing.")
def main(
    path: str,
    balance: bool,
    balance_train: bool,
    balance_test: bool,
    output: str | None,
    train_split: str,
    seed: int | None,
    label_col: str,
    filename_col: str,
    global_multiplier: str,
    target: str,
    max_copies: int | None,
    pipeline_yaml: str | None,
    workers: int | None,
    group_regex: str | None,
    group_on: str,
    near_duplicates: bool,
    dry_run: bool,
) -> None:
    """Run the command."""
    # Google's libraries, which Beam loads, warn of their own and Python's versions; in the workers too.
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    warnings.simplefilter("ignore")
    console = Console(stderr=True)
    balanced = tuple(split for split, asked in (("train", balance_train), ("test", balance_test)) if asked or balance)
    if Fraction(global_multiplier) != 1 and not balanced:
        console.print("[yellow]Warning: --global-multiplier has no effect without --balance[-train|-test].[/yellow]")
    for option, is_set in (("--balance-target", target != "largest"), ("--max-copies-per-image", max_copies)):
        if is_set and not balanced:
            console.print(f"[yellow]Warning: {option} has no effect without --balance[-train|-test].[/yellow]")
    if group_on == "path" and group_regex is None:
        console.print("[yellow]Warning: --group-on has no effect without --group-regex.[/yellow]")
    from components.datasplit.request import Request

    request = Request(
        path=path,
        output=output,
        train_split=train_split,
        multiplier=global_multiplier,
        balanced=balanced,
        seed=secrets.randbelow(2**31) if seed is None else seed,
        label_column=label_col,
        filename_column=filename_col,
        group_regex=group_regex,
        near_duplicates=near_duplicates,
        pipeline_yaml=None if pipeline_yaml is None else _text(pipeline_yaml),
        group_on=group_on,
        max_copies=max_copies,
        target=target,
    )
    if not dry_run and (problem := why_no_folder(output or path)):
        raise click.UsageError(printable_lines(not_writable(output or path, problem)))
    started = time.monotonic()
    outcome = _run(request, console, workers, dry_run, is_seed_drawn=seed is None)
    from components.datasplit.shown import show

    show(outcome, console, time.monotonic() - started, dry_run)


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"can't read {path}: {error}") from None


def _run(request: "Request", console: Console, workers: int | None, dry_run: bool, *, is_seed_drawn: bool) -> "Outcome":
    from components.augment.augmenter import BadPipeline
    from components.augment.legacy_rules import PipelineError
    from components.datasplit.split_folder import FolderError, Watcher, split_folder
    from components.datasplit.workspace import WorkspaceError
    from components.work.unit import WorkError

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        tasks: dict[str, Any] = {}

        def progress(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step)
            bars.update(tasks[step], completed=done, total=total)

        def note(text: str) -> None:
            say(bars.console, text)

        try:
            watcher = Watcher(progress, note)
            return split_folder(request, watcher, workers=workers, dry_run=dry_run, is_seed_drawn=is_seed_drawn)
        except OSError as error:
            raise _failure(_of_the_disk(str(error), error.errno)) from None
        except (WorkError, BadPipeline) as error:
            raise _failure(_of_the_disk(str(error), None)) from None
        except PipelineError as error:
            raise _failure(f"--pipeline-yaml: {error}. Nothing was changed.") from None
        except (FolderError, WorkspaceError, ValueError) as error:
            raise _failure(str(error)) from None


def _failure(message: str) -> click.ClickException:
    return click.ClickException(printable_lines(message))


def _of_the_disk(message: str, number: int | None) -> str:
    full = number in (errno.ENOSPC, errno.EDQUOT) or "No space left" in message or "quota exceeded" in message
    reason = "no space is left on the disk" if full else message
    return f"{reason}. Nothing was changed, unless files were being moved into place: then give the command again."


if __name__ == "__main__":
    main()
