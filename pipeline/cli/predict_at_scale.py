"""`affect predict --output DIR`: classify a folder or a table through Beam, to Parquet, shard by shard."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from components.batch_predict.options import PredictOptions
from components.images.codec import MAX_PIXELS
from components.images.source import SourceError
from components.tools.passwords import hidden
from components.tools.places import why_no_folder
from components.tools.schemes import why_no_store
from components.tools.wording import counted
from components.work.options import BeamOptions
from components.work.unit import WorkError
from pipeline.cli.quiet import quiet_libraries
from pipeline.cli.values import NOT_EMPTY

_Command = Callable[..., Any]


class AtScale(NamedTuple):
    """What the options say. See their helps."""

    output: str | None
    runner: str | None
    workers: int | None
    beam_options: tuple[str, ...]
    embeddings: bool
    image_column: str | None
    id_column: str | None
    images_per_shard: int | None


def at_scale_options(command: _Command) -> _Command:
    """Add the options; the command gets them as `at_scale`."""

    @functools.wraps(command)
    def wrapped(**values: Any) -> Any:
        return command(at_scale=AtScale(**{name: values.pop(name) for name in AtScale._fields}), **values)

    default = PredictOptions().images_per_shard
    options = [
        click.option(
            "--output",
            type=NOT_EMPTY,
            metavar="DIR",
            help="Write Parquet shards there, through Beam: of one folder of images, of Parquet or TFRecord files. The "
            "same command goes on where it was interrupted.",
        ),
        click.option(
            "--runner", type=NOT_EMPTY, metavar="NAME", help="With --output: Beam's runner, e.g. FlinkRunner."
        ),
        click.option(
            "--workers", type=click.IntRange(min=1), metavar="N", help="With --output: processes of the local runner."
        ),
        click.option(
            "--beam-option",
            "beam_options",
            multiple=True,
            metavar="TEXT",
            help="With --output: a further option of Beam, e.g. --flink_master=host:8081; can be repeated.",
        ),
        click.option("--embeddings", is_flag=True, help="With --output: also what the classifier sees of each image."),
        click.option("--image-column", metavar="NAME", help="With --output: a table's column of bytes or of paths."),
        click.option("--id-column", metavar="NAME", help="With --output: a table's column of names."),
        click.option(
            "--images-per-shard",
            type=click.IntRange(min=1),
            metavar="N",
            help=f"With --output: images in a shard.  [default: {default}]",
        ),
    ]
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), wrapped)


def predict_at_scale(model: str, paths: tuple[str, ...], at_scale: AtScale, batch_size: int) -> None:
    """Predict, and say what came of it.

    Raises:
        UsageError: options that can't be meant, or places that can't be read or written.
        ClickException: the work failed.
        Exit: no image could be classified.
    """
    assert at_scale.output is not None
    if len(paths) != 1:
        raise click.UsageError(f"--output takes one folder or file. Received: {', '.join(paths)}")
    output, path = _place(at_scale.output), _place(paths[0])
    if problem := why_no_store(output) if "://" in output else why_no_folder(output):
        raise click.UsageError(f"can't write to --output {at_scale.output}: {problem}")
    options = PredictOptions(
        image_column=at_scale.image_column,
        id_column=at_scale.id_column,
        embeddings=at_scale.embeddings,
        batch_size=batch_size,
        images_per_shard=at_scale.images_per_shard or PredictOptions().images_per_shard,
    )
    try:
        beam = BeamOptions(runner=at_scale.runner, workers=at_scale.workers, options=at_scale.beam_options)
    except ValidationError as error:
        [first, *_] = error.errors()
        option = "--beam-option" if first["loc"] == ("options",) else "--runner"
        raise click.UsageError(f"{option}: {first['msg'].removeprefix('Value error, ')}") from None
    if at_scale.workers is not None and not beam.is_local:
        raise click.UsageError(f"--workers counts processes of the local runner. Received: --runner {at_scale.runner}")
    with quiet_libraries():
        from components.batch_predict.predict import OutputError, predict
        from components.batch_predict.served_model import ModelError

    with _progress_bar() as progress:
        task = progress.add_task("predicting", total=None)

        def report(done: int, shards: int) -> None:
            progress.update(task, completed=done, total=shards)

        try:
            found = predict(path, _place(model), output, options, beam, max_pixels=MAX_PIXELS, report=report)
        except (OutputError, SourceError) as error:
            raise click.UsageError(str(error)) from None
        except ModelError as error:
            raise click.ClickException(str(error)) from None
        except WorkError as error:
            raise click.ClickException(f"{error}\nWhat is finished is kept: the same command goes on.") from None
    click.echo("\n".join(described(found, at_scale.output)))
    if not found["images"]:
        raise click.exceptions.Exit(1)


def described(found: dict[str, Any], place: str) -> list[str]:
    """Return lines on what was predicted.

    Args:
        found: what `predict` of `components.batch_predict` returns.
        place: where the shards are.
    """
    kept = f", {found['kept']:,} of them from before" if found["kept"] else ""
    lines = [f"{counted(found['images'], 'prediction')} in {counted(found['shards'], 'shard')} in {place}{kept}"]
    counts = sorted(found["labels"].items(), key=lambda item: (-item[1], item[0]))
    lines += [", ".join(f"{label} {count:,}" for label, count in counts)] if counts else []
    if found["accepted"] is not None and found["accepted"] < found["images"]:
        lines.append(f"The model is sure enough of {found['accepted']:,} of them.")
    if found["quarantined"]:
        lines.append(f"{found['quarantined']:,} files can't be used: quarantine-….parquet says why.")
    return lines


def _place(given: str) -> str:
    """Return a place as workers reach it, whose own folder is another; passwords in it out of sight."""
    return hidden(given) if "://" in given else str(Path(given).absolute())


def _progress_bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
