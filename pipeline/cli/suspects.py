"""`affect suspects`."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from components.formats.suspects import in_words, judged, shown_rows
from components.images.source import SourceError
from components.tools.files import replacing
from components.tools.places import why_no_file
from components.tools.wording import counted
from pipeline.cli.tables import show
from pipeline.cli.values import NOT_EMPTY
from pipeline.lineage.store import StoreError
from pipeline.review.exchange import bring_back, hand_out
from pipeline.review.reviewed import Reviewed, latest

_COLUMNS = ("filename", "split", "given", "suggested", "score", "confidence")
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("suspects")
@click.option(
    "--workdir", type=NOT_EMPTY, default="runs/local", show_default=True, metavar="DIR", help="The pipeline's folder."
)
@click.option(
    "--first",
    type=click.IntRange(min=1),
    metavar="N",
    help="So many, the likeliest wrong.  [default: as report.suspects]",
)
@click.option("--csv", "csv_file", metavar="FILE", type=_FILE, help="Write a CSV file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list of objects, not a table.")
@click.option(
    "--export",
    "export",
    metavar="FILE",
    type=_FILE,
    help="Write a table to decide in, or for Label Studio (a name that ends in .json) tasks.",
)
@click.option(
    "--label-studio-root",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="What Label Studio's LOCAL_FILES_DOCUMENT_ROOT names; the data is below it.",
)
@click.option("--url-prefix", metavar="URL", help="Where else Label Studio finds the data folder.")
@click.option(
    "--import",
    "decided",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read a table in which labels are decided, or what Label Studio exports as JSON.",
)
@click.option(
    "--into", metavar="TABLE", type=_FILE, help="With --import: the table for data.labels_csv; lines are added."
)
@click.option(
    "--merge",
    metavar="TABLE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --import: begin --into with the lines of this one.",
)
def suspects(
    workdir: str,
    first: int | None,
    csv_file: Path | None,
    as_json: bool,
    export: Path | None,
    label_studio_root: Path | None,
    url_prefix: str | None,
    decided: Path | None,
    into: Path | None,
    merge: Path | None,
) -> None:
    """List images of the latest run whose label is probably wrong, the most suspicious first.

    Nothing is relabelled by itself. Look at the images, decide in the table
    that --export writes, and take it --into a table for data.labels_csv.
    """
    tasks = {"--csv": csv_file, "--json": as_json, "--export": export, "--import": decided}
    given = [name for name, value in tasks.items() if value]
    if len(given) > 1:
        raise click.UsageError(f"give one of {' and '.join(given)}")
    if (label_studio_root or url_prefix) and (export is None or export.suffix.lower() != ".json"):
        raise click.UsageError("--label-studio-root and --url-prefix belong to --export FILE.json")
    if label_studio_root and url_prefix:
        raise click.UsageError("give one of --label-studio-root and --url-prefix")
    if (decided is None) != (into is None) or (merge and into is None):
        raise click.UsageError("--import FILE and --into TABLE belong together, and --merge to them")
    for option, file in (("--csv", csv_file), ("--export", export), ("--into", into)):
        if file is not None and (problem := why_no_file(file)):
            raise click.UsageError(f"can't write {option} {file}: {problem}")
    with _failures():
        run = latest(workdir)
        if decided and into:
            click.echo(bring_back(run, decided, into, merge))
        elif export:
            click.echo(hand_out(run, first, export, label_studio_root, url_prefix))
        else:
            _list(run, first, csv_file, as_json)


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except (StoreError, SourceError) as error:
        raise click.ClickException(str(error)) from None
    except PermissionError:  # said for all commands alike
        raise
    except OSError as error:
        raise click.ClickException(": ".join(str(part) for part in (error.filename, error.strerror) if part)) from None


def _list(run: Reviewed, first: int | None, csv_file: Path | None, as_json: bool) -> None:
    rows: list[dict[str, Any]] = [{name: row[name] for name in _COLUMNS} for row in shown_rows(run.findings, first)]
    listed = len(run.findings["suspects"])
    if csv_file is not None:
        try:
            with replacing(csv_file) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, _COLUMNS)
                writer.writeheader()
                writer.writerows(rows)
        except OSError as error:
            raise click.ClickException(f"can't write --csv {csv_file}: {error.strerror}") from None
        click.echo(f"{counted(len(rows), 'image')} in {csv_file}")
    else:
        unlisted = f"Suspicious labels: {listed}. None is listed, since report.suspects is 0: give --first N."
        show(rows, as_json, unlisted if listed else "No label is suspicious.")
    if rows and not as_json and (text := in_words(run.findings, len(rows))):
        click.echo(
            f"{text} Listed are {len(rows):,} of {counted(listed, 'suspicious label')} of {judged(run.findings)}."
        )
