"""Run work units through Apache Beam: in this process, in worker processes, or on the engine that the options name.

A unit is a deterministic part of the plan that reads its own input and writes its own output files, under temporary
names first; it can be repeated, and what passes through the runner is plans and counts, never an image. Each finished
unit leaves its counts as a small file, which is the way back from any runner, and what the progress is read from.

TFX's base class for Beam executors (`BaseBeamExecutor`) isn't used: it would make a `beam.Pipeline` of the
pipeline-wide `beam_pipeline_args`, with Beam's default runner. From Beam 2.68 on that one first tries to download
another runner and ignores the options of the local one, so the local runner is named here: `FnApiRunner`.
"""

import argparse
import json
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from components.work.cause import cause, why_no_job_server
from components.work.options import BeamOptions
from components.work.unit import Counts, Unit, Work, WorkError

# What worker processes cost before and after the work: they import Beam and what the work needs, and are taken down.
_SECONDS_FOR_WORKERS = 4.5
_SECONDS_BETWEEN_REPORTS = 0.5
_TALKATIVE = ("options", "runners.portability", "runners.common", "runners.worker")
_LIKENESS = 0.9  # of an option's name and the one that is meant; Flink's --max_parallelism has 0.87 of --parallelism


@dataclass
class DoUnits(beam.PTransform):  # type: ignore[misc]
    """Units in, counts out; each unit's counts are also written to `scratch`."""

    work: Work
    scratch: str

    def expand(self, pcoll: Any) -> Any:
        """Spread the units over the workers and do them."""
        return pcoll | beam.Reshuffle() | beam.ParDo(_DoUnit(self.work, self.scratch))


class _DoUnit(beam.DoFn):  # type: ignore[misc]
    def __init__(self, work: Work, scratch: str) -> None:
        super().__init__()
        self._work, self._scratch = work, scratch

    def setup(self) -> None:
        self._do = self._work.prepare()

    def process(self, element: Any) -> Any:
        counts = self._do(element)
        write_whole(_counts_path(self._scratch, element), json.dumps(counts).encode())
        yield counts


def do_units(
    units: Sequence[Unit],
    work: Work,
    options: BeamOptions,
    *,
    scratch: str,
    seconds: float,
    report: Callable[[Counts], object] = bool,
) -> Counts:
    """Do all units and return the sum of their counts.

    Args:
        units: what is to be done; the same units give the same files on any runner with any number of workers.
        work: how.
        options: runner, workers, further Beam options.
        scratch: an existing empty folder for the units' counts, seen by all workers.
        seconds: estimate of the whole work on one core; little work is done in this process.
        report: called now and then with the counts so far (local folders only).

    Raises:
        WorkError: a unit failed.
    """
    if not units:
        return {}
    run_units(units, DoUnits(work, scratch), options, seconds=seconds, look=_counter(scratch, report))
    # By name: a search would take brackets in the folder's own name for a pattern.
    found = [path for path in (_counts_path(scratch, unit) for unit in units) if FileSystems.exists(path)]
    if len(found) != len(units):
        raise WorkError(f"the runner finished {len(found)} of {len(units)} units without an error")
    total: Counts = {}
    for path in found:
        _add(total, json.loads(read_whole(path)))
    return total


def run_units(
    units: Sequence[Unit],
    transform: beam.PTransform,
    options: BeamOptions,
    *,
    seconds: float,
    look: Callable[[], object] = bool,
) -> None:
    """Send units through a transform that does them.

    Args:
        units: what is to be done; at least one.
        transform: from units to anything.
        options: runner, workers, further Beam options.
        seconds: estimate of the whole work on one core; little work is done in this process.
        look: called now and then while the pipeline runs, and once behind it.

    Raises:
        WorkError: a unit failed, or the runner did.
    """
    runner, argv = _runner(options, len(units), seconds)
    if isinstance(runner, str) and (problem := why_no_job_server(options.options)):
        raise WorkError(problem)
    pipeline_options = PipelineOptions([*argv, *options.options])
    if problem := _why_unknown(options.options, is_local=options.is_local):
        raise WorkError(problem)
    try:
        with _quiet(), _calling(look), beam.Pipeline(runner=runner, options=pipeline_options) as pipeline:
            _ = pipeline | beam.Create(units, reshuffle=False) | transform
    except Exception as error:  # each runner wraps what a unit raised in its own way
        raise WorkError(cause(error, options.options)) from error


def read_whole(path: str) -> bytes:
    """Return the bytes of a file on any of Beam's file systems."""
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        return bytes(file.read())


def write_whole(path: str, data: bytes) -> None:
    """Write a file on any of Beam's file systems, under a temporary name first."""
    with FileSystems.create(f"{path}.tmp", compression_type=CompressionTypes.UNCOMPRESSED) as file:
        file.write(data)
    FileSystems.rename([f"{path}.tmp"], [path])


def delete_folder(path: str) -> None:
    """Delete a folder on any of Beam's file systems; on a local one Beam would take the path for a pattern."""
    if "://" in path:
        FileSystems.delete([f"{path}/"])
    else:
        shutil.rmtree(path)


def _counts_path(scratch: str, unit: Unit) -> str:
    return f"{scratch}/{unit.index:05d}.json"


def _runner(options: BeamOptions, units: int, seconds: float) -> tuple[Any, list[str]]:
    if not options.is_local:
        return options.runner, []
    workers = min(units, options.workers or len(os.sched_getaffinity(0)))
    if options.workers is None and seconds - seconds / workers < _SECONDS_FOR_WORKERS:
        workers = 1
    mode = "multi_processing" if workers > 1 else "in_memory"
    return FnApiRunner(), [f"--direct_running_mode={mode}", f"--direct_num_workers={workers}"]


def _why_unknown(options: Sequence[str], *, is_local: bool) -> str | None:
    """Return which option Beam passes over in silence; a job server may know others, so there only what looks like one.

    Args:
        options: of Beam, as they were given.
        is_local: whether no other program reads them.
    """
    parsers: list[argparse.ArgumentParser] = []
    with _quiet():
        PipelineOptions([]).get_all_options(add_extra_args_fn=parsers.append)
    known = {name for action in parsers[0]._actions for name in action.option_strings}
    for name in (word.partition("=")[0] for word in options if word.startswith("--")):
        like = get_close_matches(name, known, 1, _LIKENESS)
        if name not in known and (like or is_local):
            return f"Beam has no option {name}" + (f": is {like[0]} meant?" if like else "")
    return None


def _add(total: Counts, counts: Counts) -> None:
    for key, value in counts.items():
        total[key] = total.get(key, 0) + value


def _is_not_beams(record: logging.LogRecord) -> bool:
    return "apache_beam" not in Path(record.pathname).parts


@contextmanager
def _quiet() -> Any:
    """Silence Beam's remarks on how its workers start, and its logging of errors that are raised anyway."""
    root = logging.getLogger()  # which some of Beam's modules use as theirs
    loggers = [logging.getLogger(f"apache_beam.{name}") for name in _TALKATIVE]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    root.addFilter(_is_not_beams)
    try:
        yield
    finally:
        root.removeFilter(_is_not_beams)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _counter(scratch: str, report: Callable[[Counts], object]) -> Callable[[], object]:
    """Return what reports the sum of the finished units' counts; those in an object store aren't looked at."""
    seen, total = set[Path](), Counts()

    def look() -> None:
        for path in set(Path(scratch).glob("*.json")) - seen:
            seen.add(path)
            _add(total, json.loads(path.read_bytes()))
        report(total)

    return bool if "://" in scratch else look


@contextmanager
def _calling(look: Callable[[], object]) -> Iterator[None]:
    """Call what is given now and then, and once behind the block."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(_SECONDS_BETWEEN_REPORTS):
            look()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()
        look()
