"""`affect report`."""

import webbrowser

import click

from pipeline.cli.values import NOT_EMPTY
from pipeline.local.workdir import Workdir


@click.command("report")
@click.option(
    "--workdir", type=NOT_EMPTY, default="runs/local", show_default=True, metavar="DIR", help="The pipeline's folder."
)
@click.option("--open", "open_it", is_flag=True, help="Open it in a browser as well.")
def report(workdir: str, open_it: bool) -> None:
    """Print the path of the latest report."""
    path = Workdir(workdir).report
    if not path.exists():
        raise click.ClickException(f"no report at {path}: run the pipeline first, or name its folder with --workdir")
    click.echo(path)
    if open_it:
        webbrowser.open(path.as_uri())
