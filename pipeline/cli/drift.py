"""`affect drift`: hold what a pushed model is asked about against what it was tested on."""

import json
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError
from rich.table import Table
from rich.text import Text

from components.formats.saved_model import ASSETS
from components.tools.console import say, uncut_console
from components.tools.places import why_no_file
from components.tools.printable import printable, printable_json
from pipeline.cli.model_version import find_folder
from pipeline.cli.predict import find_files
from pipeline.cli.quiet import quiet_libraries
from pipeline.cli.values import NOT_EMPTY

# Kept beside the module that compares, which takes a second to import.
_FIGURES = ("classes", "confidence", "accepted", "brightness", "sharpness", "size", "embeddings")
_DRIFTED, _BAD_INPUT = 3, 2
_PARQUET = b"PAR1"  # the first bytes of such a file
_MOST_SEED = 2**32 - 1  # of NumPy's generators


class _BadInputError(click.ClickException):
    exit_code = _BAD_INPUT


@click.command("drift")
@click.option(
    "--model", "model_folder", required=True, metavar="DIR", help="A pushed model, or the folder with its versions."
)
@click.argument("path", metavar="PREDICTIONS|FOLDER", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, not a table.")
@click.option(
    "--html", "page", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write a page to look at."
)
@click.option(
    "--least-shift",
    default=0.1,
    show_default=True,
    metavar="SHARE",
    type=click.FloatRange(0, 1),
    help="Of the images that must lie elsewhere than test's for a figure to have drifted.",
)
@click.option(
    "--false-alarms",
    default=0.05,
    show_default=True,
    metavar="SHARE",
    type=click.FloatRange(0.01, 0.5),
    help="Of comparisons where nothing has changed that may be alarms.",
)
@click.option(
    "--images",
    default=2000,
    show_default=True,
    metavar="N",
    type=click.IntRange(20, 20_000),
    help="Served images to look at, drawn by their names.",
)
@click.option(
    "--without",
    multiple=True,
    metavar="FIGURE",
    type=click.Choice(_FIGURES),
    help=f"Leave a figure out; may be repeated. One of {', '.join(_FIGURES)}.",
)
@click.option(
    "--group-regex",
    type=NOT_EMPTY,
    metavar="RE",
    help="Images whose path shares its first capture belong together.  [default: as in training]",
)
@click.option(
    "--seed", default=0, show_default=True, metavar="N", type=click.IntRange(0, _MOST_SEED), help="Of what is drawn."
)
def drift(
    model_folder: str,
    path: Path,
    as_json: bool,
    page: Path | None,
    least_shift: float,
    false_alarms: float,
    images: int,
    without: tuple[str, ...],
    group_regex: str | None,
    seed: int,
) -> None:
    """Say whether what is served is still like what the model was tested on.

    PREDICTIONS are Parquet files that `affect predict --output` writes; a
    FOLDER of images is predicted here.

    Exit status: 0 if nothing has drifted or there are too few images to say
    (the verdict says which), 3 if something has, 2 for bad input.
    """
    if page is not None and (problem := why_no_file(page)):
        raise click.UsageError(f"can't write --html {page}: {problem}")
    if set(without) == set(_FIGURES):
        raise click.UsageError("--without leaves nothing to compare")
    if path.is_file() and not _is_parquet(path):
        raise click.UsageError(
            f"give a folder of images, or predictions that `affect predict --output` wrote. Received: {path}"
        )
    model = find_folder(model_folder)
    from components.split_balance_augment.options import SplitOptions
    from pipeline.drift.options import DriftOptions

    try:
        SplitOptions(group_regex=group_regex)
    except ValidationError as error:
        raise click.UsageError(f"--group-regex: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None

    options = DriftOptions(
        false_alarms=false_alarms, least_shift=least_shift, images=images, seed=seed, without=tuple(sorted(without))
    )
    try:
        found, html = _compare(model, path, options, group_regex)
    except PermissionError:  # said for all commands alike
        raise
    except (ValueError, OSError) as error:
        raise _BadInputError(str(error)) from None
    if page is not None:
        from components.tools.files import write_text

        try:
            write_text(html(), page)
        except OSError as error:
            raise click.ClickException(f"can't write --html {page}: {error.strerror}") from None
    if as_json:
        click.echo(printable_json(json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False)))
    else:
        _print(found, page)
    if found["verdict"] == "drifted":
        raise click.exceptions.Exit(_DRIFTED)


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_PARQUET)) == _PARQUET


def _compare(model: Path, path: Path, options: Any, group_regex: str | None) -> tuple[dict[str, Any], Any]:
    """Return what came of it, and what makes the page."""
    from components.formats.drift_reference import NAME, read_reference
    from pipeline.drift.compare import compare
    from pipeline.drift.result import Counts, as_values
    from pipeline.drift.served import Grouping, holds_predictions, look_at_folder, read_predictions

    try:
        reference, about = read_reference(model / ASSETS)
    except FileNotFoundError:
        raise click.UsageError(
            f"The model has no {ASSETS}/{NAME}, by which drift is told, since an earlier version pushed it: run the "
            f"pipeline again with this one. Received: {model}"
        ) from None
    grouping = Grouping(about.group_regex, about.group_on) if group_regex is None else Grouping(group_regex, "path")
    if holds_predictions(path):
        served = read_predictions(path, about, grouping, options.images, options.seed)
    else:
        files = find_files([str(path)])
        with quiet_libraries():
            served = look_at_folder(path, files, model, about, grouping, options.images, options.seed)
    comparison = compare(reference, served.sample, about.labels, options)
    counts = Counts(about.images, len(reference.ids), served.images, len(served.sample.ids), served.unusable)
    found = as_values(comparison, counts, about.labels, options, served.remarks)

    def html() -> str:
        from pipeline.drift.render import render_page

        return render_page(found, comparison, about.labels, served.files)

    return found, html


def _print(found: dict[str, Any], page: Path | None) -> None:
    console = uncut_console()
    style = {"drifted": "bold red", "not drifted": "bold green"}.get(found["verdict"], "bold yellow")
    say(console, found["headline"], style)
    if found["figures"]:
        table = Table("figure", "shift", "p-value", "", box=None, pad_edge=False, header_style="bold")
        for one in found["figures"]:
            mark = Text("drifted", "red") if one["drifted"] else Text("")
            table.add_row(one["title"], f"{100 * one['shift']:.0f} %", f"{one['p_value']:.3f}", mark)
        console.print(table)
    for reason in found["reasons"]:
        say(console, printable(reason))
    for name, why in found["left_out"].items():
        say(console, f"Not compared: {name}, since {why}.")
    images = found["images"]
    text = f"{images['served_drawn']:,} of {images['served']:,} served images against {images['test_drawn']:,} of test."
    if images["unusable"]:
        text += f" {images['unusable']:,} files are no images."
    say(console, " ".join([text, *found["remarks"]]), "dim")
    if page is not None:
        say(console, f"Page: {page}")
