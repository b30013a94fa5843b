"""`affect run`."""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console

from components.data_digest.look import LookError, with_files
from components.formats.pushed_models import Origin, Version, candidates, list_versions
from components.formats.served_predictions import SERVED
from components.images.folder_digest import folder_digest
from components.images.places import as_text, found_places, given_places
from components.images.source import SourceError
from components.images.spans import find_places
from components.tools.environment import BEAM, PROGRESS
from components.tools.passwords import hidden
from pipeline.cli.usage_error import UsageError
from pipeline.cli.values import NOT_EMPTY
from pipeline.config import Config, ConfigError, load
from pipeline.config.old_names import old_names
from pipeline.config.secrets import hide_passwords, keys_in_store_uris
from pipeline.config.without_effect import without_effect
from pipeline.context import RunContext, recipe
from pipeline.local.beforehand import BeforehandError, check, check_data
from pipeline.local.failures import disk_full, is_disk_full
from pipeline.local.interruption import exit_status, sigterm_interrupts
from pipeline.local.last_end import forget, last_end, look, remember
from pipeline.local.notice import Heard, notified
from pipeline.local.temporary import temporary_files_in
from pipeline.local.workdir import Workdir, WorkdirError
from pipeline.sample.dataset import GROUP_REGEX, write_sample_data


@click.command("run")
@click.option("--config", "config_file", type=NOT_EMPTY, metavar="FILE", help="A YAML file, or the name of a preset.")
@click.option(
    "--data",
    type=NOT_EMPTY,
    multiple=True,
    metavar="PATH",
    help="Folder with train/<label>/, or a zip, tar, Parquet file or fer2013.csv; can be repeated, and name dated "
    "folders by {YYYY}-{MM}-{DD}. Without it, sample faces are drawn.",
)
@click.option(
    "--workdir",
    type=NOT_EMPTY,
    default="runs/local",
    show_default=True,
    metavar="DIR",
    help="Folder for everything that is made.",
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Set one key, e.g. train.epochs=50; can be repeated."
)
@click.option(
    "--if-changed", is_flag=True, help="End at once where nothing has changed since the last run that came to its end."
)
@click.option("--verbose", is_flag=True, help="Show the components' output instead of logging it.")
def run(
    config_file: str | None,
    data: tuple[str, ...],
    workdir: str,
    overrides: tuple[str, ...],
    if_changed: bool,
    verbose: bool,
) -> None:
    """Run the whole pipeline on this machine.

    Exit status: 0 the model is good enough and was pushed (or with
    --if-changed: nothing has changed), 3 it isn't good enough, 1 the run
    failed, 2 bad usage, 130 or 143 it was interrupted.
    """
    try:
        config = load(config_file, overrides)
        if problems := list(keys_in_store_uris(config, {"--data": as_text(data) if data else None})):
            raise UsageError("\n".join(problems))
        config = hide_passwords(config)
    except ConfigError as error:
        raise UsageError(str(error)) from None
    folder = Workdir(workdir)
    places = [hidden(place) for text in data for place in given_places(text)] or list(config.data.places())
    try:
        check(config, places, folder)
        for line in (*old_names(config), *without_effect(config)):
            click.echo(f"Warning: {line}", err=True)
        with notified(config.notify, folder, partial(click.echo, err=True)) as heard:
            if places:  # before a workdir is made
                check_data(config, _found(config, places))
            with folder.locked():
                if not places:
                    keep_regex = any(text.startswith("split.group_regex=") for text in overrides)
                    sample, config = _sample(folder, config, keep_regex)
                    places = [sample]
                    check_data(config, sample)
                status = _run(config, _found(config, places), folder, if_changed, verbose, heard)
        sys.exit(status)
    except KeyboardInterrupt as interrupt:
        click.echo("Interrupted: the same command goes on with what is done.", err=True)
        sys.exit(exit_status(interrupt))
    except WorkdirError as error:
        raise click.ClickException(str(error)) from None
    except (BeforehandError, LookError, SourceError) as error:
        raise UsageError(str(error)) from None
    except Exception as error:
        # A component's failure is shown where it happens; what runs them may meet a full disk as well.
        if is_disk_full(error):
            raise click.ClickException(disk_full(folder.root)) from None
        raise


def _sample(folder: Workdir, config: Config, keep_regex: bool) -> tuple[str, Config]:
    """Return the sample data, drawn if it isn't there yet; its identities are kept in one split."""
    if not folder.sample_data.exists():
        write_sample_data(folder.sample_data)
    if config.split.group_regex is None and not keep_regex:
        split = config.split.model_copy(update={"group_regex": GROUP_REGEX})
        config = config.model_copy(update={"split": split})
    return str(folder.sample_data), config


def _found(config: Config, places: Sequence[str]) -> str:
    # What was found before is as absolute as it was then.
    return find_places(
        [_absolute(place) if "" in found_places(place) else place for place in places], config.data.until or ""
    )


def _is_unchanged(folder: Workdir, now: dict[str, str]) -> bool:
    """Say what has changed since the last run that came to its end, and return whether nothing has."""
    last = last_end(folder)
    if last is None:
        return False
    if changed := last.changed(now):
        click.echo(f"Changed since run {last.run_id}: {', '.join(changed)}.")
        return False
    click.echo(f"Nothing has changed since run {last.run_id}, neither data nor configuration, code or models.")
    return True


def _run(config: Config, data: str, folder: Workdir, if_changed: bool, verbose: bool, heard: Heard) -> int:
    destination = _absolute(config.push.destination or str(folder.serving_model))
    now = look(config, data, _standing(destination))
    if if_changed and _is_unchanged(folder, now):
        heard.is_run = False
        return 0
    heard.run_id = datetime.now().strftime("%Y%m%d-%H%M%S-%f")[:-3]
    forget(folder)
    with temporary_files_in(folder.temporary), sigterm_interrupts():
        status = _run_pipeline(config, data, destination, folder, verbose, heard)
    from pipeline.local.run import NOT_BLESSED, PUSHED  # imported by now, with TFX

    if status in (PUSHED, NOT_BLESSED) and heard.is_complete():
        remember(folder, heard.run_id, now, _standing(destination))
    return status


def _run_pipeline(config: Config, data: str, destination: str, folder: Workdir, verbose: bool, heard: Heard) -> int:
    digest = digest_of(config, data)
    run_id = heard.run_id
    log = folder.logs / f"{run_id}.log"
    folder.logs.mkdir(parents=True, exist_ok=True)
    progress = folder.logs / ".progress"
    os.environ[PROGRESS] = str(progress)
    os.environ[BEAM] = config.beam.model_dump_json()

    context = _context(config, data, destination, digest, folder)
    with _output_to(None if verbose else log) as (stdout, stderr):
        console, errors = Console(file=stdout), Console(file=stderr)
        # TFX takes ten seconds to import: not before it is needed.
        from pipeline.local.run import run_locally

        return run_locally(config, context, folder, heard, console, errors, progress, None if verbose else log)


def digest_of(config: Config, data: str) -> str:
    """Return the digest by which a run knows whether anything has changed outside.

    Files of this machine that options name count in the keys of the components that read them. Those in a store don't,
    so they count with the data.
    """
    return with_files(folder_digest(data, config.data.follow_links), [file for file in config.files() if "://" in file])


def _standing(destination: str) -> list[Version]:
    try:
        return list_versions(destination)
    except Exception as error:  # each store has errors of its own
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UsageError(f"can't read push.destination = {destination}: {reason}") from None


def _context(config: Config, data: str, destination: str, digest: str, folder: Workdir) -> RunContext:
    from components.batch_predict.find import find

    found = candidates(_standing(destination), Origin(recipe(config), "", digest))
    pushed, predicted = _lost(folder, config.predict.output)
    to_predict = f"{find(config.predict.path, config.predict).digest}{predicted}" if config.predict.path else ""
    return RunContext(
        uri=data,
        destination=destination,
        folder_digest=digest,
        candidates=",".join(str(version.number) for version in found),
        checkpoints=_absolute(config.train.checkpoints or str(folder.checkpoints)),
        lost=pushed,
        beam_in_environment=True,
        to_predict=to_predict,
    )


def _absolute(place: str) -> str:
    return place if "://" in place else str(Path(place).absolute())


def _lost(folder: Workdir, output: str | None) -> tuple[str, str]:
    """Return what was put outside from here and is gone, since a cached result is no longer true then.

    Args:
        folder: the workdir.
        output: where predictions go, `predict.output`.

    Returns:
        The newest version that was pushed, and the newest of which there were predictions; "" where they are there.
    """
    from pipeline.lineage.mlmd_store import open_store
    from pipeline.lineage.store import StoreError

    if not folder.metadata.exists():
        return "", ""
    try:
        artifacts = open_store(str(folder.metadata)).artifacts()
    except StoreError:  # a killed run left it half-made or in a transaction: whoever opens it to write mends that
        return "", ""
    pushed: list[str] = []
    predicted: list[str] = []
    for found in (artifact.properties for artifact in artifacts):
        if _is_gone(str(found.get("pushed_destination", ""))):
            pushed.append(str(found["pushed_version"]))
        place = str(found.get("predicted_to", ""))
        if output and place.startswith(f"{_absolute(output)}/") and _is_gone(place, SERVED.name):
            predicted.append(str(found["predicted_by"]))
    return max(pushed, key=int, default=""), max(predicted, key=int, default="")


def _is_gone(place: str, file: str = "") -> bool:
    return bool(place) and "://" not in place and not Path(place, file).exists()


@contextlib.contextmanager
def _output_to(log: Path | None) -> Iterator[tuple[TextIO, TextIO]]:
    """Send what this process and its children print to a log; yields two streams that still reach the terminal."""
    if log is None:
        yield sys.stdout, sys.stderr
        return
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    with contextlib.ExitStack() as files:
        output, errors = (
            files.enter_context(os.fdopen(os.dup(number), "w", encoding="utf-8", errors="replace")) for number in kept
        )
        file = files.enter_context(log.open("ab"))
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield output, errors
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError):  # the log's disk may be full
                    stream.flush()
            os.dup2(kept[0], 1)
            os.dup2(kept[1], 2)
            for descriptor in kept:
                os.close(descriptor)
