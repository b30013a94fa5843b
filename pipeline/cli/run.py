"""`affect run`."""

import contextlib
import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console

from components.images.folder_digest import folder_digest
from components.images.source import SourceError
from components.models.torch_weights import SUFFIX, check_file
from components.tools.environment import BEAM, PROGRESS
from pipeline.cli.values import NOT_EMPTY
from pipeline.config import Config, ConfigError, load
from pipeline.context import RunContext, recipe
from pipeline.local.workdir import Workdir, WorkdirError
from pipeline.sample.dataset import GROUP_REGEX, write_sample_data


class UsageError(click.ClickException):
    """Bad options or a bad configuration."""

    exit_code = 2


@click.command("run")
@click.option("--config", "config_file", type=NOT_EMPTY, metavar="FILE", help="A YAML file, or the name of a preset.")
@click.option(
    "--data",
    type=NOT_EMPTY,
    metavar="PATH",
    help="Folder with train/<label>/, or a zip, tar, Parquet file or fer2013.csv. Without it, sample faces are drawn.",
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
@click.option("--verbose", is_flag=True, help="Show the components' output instead of logging it.")
def run(config_file: str | None, data: str | None, workdir: str, overrides: tuple[str, ...], verbose: bool) -> None:
    """Run the whole pipeline on this machine.

    Exit status: 0 the model is good enough and was pushed, 3 it isn't good
    enough, 1 the run failed, 2 bad usage.
    """
    try:
        config = load(config_file, overrides)
    except ConfigError as error:
        raise UsageError(str(error)) from None
    _check_files(config)
    folder = Workdir(workdir)
    data = data or config.data.path
    try:
        with folder.locked():
            if data is None:
                data, config = _sample(folder, config, any(text.startswith("split.group_regex=") for text in overrides))
            sys.exit(_run(config, data, folder, verbose))
    except WorkdirError as error:
        raise click.ClickException(str(error)) from None
    except SourceError as error:
        raise UsageError(str(error)) from None


def _check_files(config: Config) -> None:
    """Look for the files that options name now, not when a component needs one, which may be minutes later."""
    named = {
        "data.labels_csv": config.data.labels_csv,
        "augment.pipeline_yaml": config.augment.pipeline_yaml,
        "validate.schema": config.validation.schema_path,
        "model.weights": None if config.model.weights == "imagenet" else config.model.weights,
    }
    for key, path in named.items():
        may_be_remote = key in ("data.labels_csv", "augment.pipeline_yaml")
        if path is not None and not (may_be_remote and "://" in path) and not Path(path).exists():
            raise UsageError(f"{key} names {path}, which isn't there")
    weights = named["model.weights"]
    if weights is not None and Path(weights).is_dir() and not (Path(weights) / "saved_model.pb").exists():
        raise UsageError(f"model.weights names the folder {weights}, in which there is no saved_model.pb")
    if weights is not None and weights.endswith(SUFFIX):
        try:
            for architecture in config.architectures():
                check_file(weights, architecture, config.image.channels)
        except ValueError as error:
            raise UsageError(str(error)) from None


def _sample(folder: Workdir, config: Config, keep_regex: bool) -> tuple[str, Config]:
    """Return the sample data, drawn if it isn't there yet; its identities are kept in one split."""
    if not folder.sample_data.exists():
        write_sample_data(folder.sample_data)
    if config.split.group_regex is None and not keep_regex:
        split = config.split.model_copy(update={"group_regex": GROUP_REGEX})
        config = config.model_copy(update={"split": split})
    return str(folder.sample_data), config


def _run(config: Config, data: str, folder: Workdir, verbose: bool) -> int:
    data = _absolute(data)
    digest = folder_digest(data)
    run_id = datetime.now().strftime("%Y%m%d-%H%M%S-%f")[:-3]
    log = folder.logs / f"{run_id}.log"
    folder.logs.mkdir(parents=True, exist_ok=True)
    progress = folder.logs / ".progress"
    os.environ[PROGRESS] = str(progress)
    os.environ[BEAM] = config.beam.model_dump_json()

    with _output_to(None if verbose else log) as stdout:
        console = Console(file=stdout)
        from pipeline.local.run import run_locally  # TFX takes ten seconds to import: not before it is needed

        context = _context(config, data, digest, folder)
        return run_locally(config, context, folder, run_id, console, progress, None if verbose else log)


def _context(config: Config, data: str, digest: str, folder: Workdir) -> RunContext:
    from components.formats.pushed_models import Origin, candidates, list_versions

    destination = _absolute(config.push.destination or str(folder.serving_model))
    try:
        found = candidates(list_versions(destination), Origin(recipe(config), "", digest))
    except Exception as error:  # each store has errors of its own
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UsageError(f"can't read push.destination = {destination}: {reason}") from None
    return RunContext(
        uri=data,
        destination=destination,
        folder_digest=digest,
        candidates=",".join(str(version.number) for version in found),
        checkpoints=_absolute(config.train.checkpoints or str(folder.checkpoints)),
        lost=_lost_push(folder),
        beam_in_environment=True,
    )


def _absolute(place: str) -> str:
    return place if "://" in place else str(Path(place).absolute())


def _lost_push(folder: Workdir) -> str:
    """Return the newest version that was pushed from here and is gone: the Pusher's cached result is no longer true."""
    from pipeline.lineage.store import StoreError, open_store

    if not folder.metadata.exists():
        return ""
    try:
        artifacts = open_store(str(folder.metadata)).artifacts()
    except StoreError:  # a killed run left it half-made or in a transaction: whoever opens it to write mends that
        return ""
    gone = [
        str(artifact.properties["pushed_version"])
        for artifact in artifacts
        if artifact.type == "PushedModel"
        and "://" not in (where := str(artifact.properties.get("pushed_destination", "")))
        and where
        and not Path(where).exists()
    ]
    return max(gone, key=int, default="")


@contextlib.contextmanager
def _output_to(log: Path | None) -> Iterator[TextIO]:
    """Send what this process and its children print to a log; yields a stream that still reaches the terminal."""
    if log is None:
        yield sys.stdout
        return
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    with os.fdopen(os.dup(kept[0]), "w", encoding="utf-8", errors="replace") as terminal, log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield terminal
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(kept[0], 1)
            os.dup2(kept[1], 2)
            for descriptor in kept:
                os.close(descriptor)
