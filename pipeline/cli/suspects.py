"""`affect suspects`."""

import csv
from pathlib import Path
from typing import Any

import click

from components.formats.documents import ANALYSIS
from components.tools.files import replacing
from components.tools.places import why_no_file
from pipeline.cli.tables import show
from pipeline.cli.values import NOT_EMPTY
from pipeline.lineage.store import StoreError, open_store
from pipeline.local.workdir import Workdir

_COLUMNS = ("filename", "split", "given", "suggested", "score", "confidence")


@click.command("suspects")
@click.option(
    "--workdir", type=NOT_EMPTY, default="runs/local", show_default=True, metavar="DIR", help="The pipeline's folder."
)
@click.option(
    "--csv", "csv_file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write a CSV file."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list of objects, not a table.")
def suspects(workdir: str, csv_file: Path | None, as_json: bool) -> None:
    """List images of the latest run whose label is probably wrong, the most suspicious first.

    Nothing is relabelled: look at the images, and write the right labels into
    a table for data.labels_csv.
    """
    if csv_file is not None and (problem := why_no_file(csv_file)):
        raise click.UsageError(f"can't write --csv {csv_file}: {problem}")
    try:
        rows = _latest(workdir)
    except StoreError as error:
        raise click.ClickException(str(error)) from None
    if csv_file is not None:
        try:
            with replacing(csv_file) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, _COLUMNS)
                writer.writeheader()
                writer.writerows(rows)
        except OSError as error:
            raise click.ClickException(f"can't write --csv {csv_file}: {error.strerror}") from None
        click.echo(f"{len(rows)} images in {csv_file}")
        return
    show(rows, as_json, "No label is suspicious.")


def _latest(workdir: str) -> list[dict[str, Any]]:
    store = open_store(str(Workdir(workdir).metadata))
    for run in store.runs():
        for artifact in store.artifacts_of(run):
            if artifact.type == "components.Analysis" and artifact.state == "LIVE" and ANALYSIS.exists(artifact.uri):
                found = ANALYSIS.read(artifact.uri)["suspects"]
                return [{name: row[name] for name in _COLUMNS} for row in found]
    raise StoreError(f"no finished analysis in {workdir}: run the pipeline first")
