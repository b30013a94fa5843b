"""`affect sample-data DIR`."""

from pathlib import Path

import click

from components.tools.wording import counted
from pipeline.cli.values import COUNT
from pipeline.sample.dataset import DEFAULT_IMAGES, write_sample_data


@click.command("sample-data")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--images", default=DEFAULT_IMAGES, show_default=True, metavar="N", type=COUNT, help="Number of images.")
@click.option(
    "--seed", default=0, show_default=True, metavar="N", type=click.IntRange(min=0), help="Decides what is drawn."
)
def sample_data(folder: Path, images: int, seed: int) -> None:
    """Draw faces that show eight emotions into DIR/train/<label>/."""
    try:
        count = write_sample_data(folder, images, seed)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{counted(count, 'image')} in {folder}/train")
