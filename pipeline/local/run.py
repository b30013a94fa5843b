"""One run on this machine, from the wired components to the exit status."""

import contextlib
import shutil
import time
import traceback
from pathlib import Path

from rich.console import Console

from components.formats import nodes
from components.formats.dataset import QUARANTINE
from components.formats.documents import ANALYSIS, GATE, REPORT, RESULTS, SUMMARY
from components.split.captures import ENOUGH
from components.tools.console import say
from components.tools.files import replacing
from components.tools.passwords import masked
from pipeline.config import Config
from pipeline.context import RunContext
from pipeline.local.copies import show_copies
from pipeline.local.display import RunDisplay
from pipeline.local.failures import cut, reason
from pipeline.local.notice import Heard
from pipeline.local.runner import LocalRunner, NodeRun
from pipeline.local.workdir import Workdir
from pipeline.pipeline import create_pipeline
from pipeline.record import run_record
from pipeline.run_table import run_table

PUSHED, FAILED, NOT_BLESSED = 0, 1, 3
_SHOWN = 10


def run_locally(
    config: Config,
    context: RunContext,
    folder: Workdir,
    heard: Heard,
    console: Console,
    errors: Console,
    progress: Path,
    log: Path | None,
) -> int:
    """Run the pipeline and show what came of it.

    Args:
        config: the configuration.
        context: data, destination, digests.
        folder: the workdir, locked by the caller.
        heard: the run's name; notes what becomes of its components.
        console: reaches the person.
        errors: likewise, with what the run failed of.
        progress: file that long components report to.
        log: where everything else is printed; None with --verbose.

    Returns:
        The exit status.
    """
    started = time.monotonic()
    folder.artifacts.mkdir(parents=True, exist_ok=True)
    pipeline = create_pipeline(config, context, str(folder.artifacts), str(folder.metadata))
    ids = [component.id for component in pipeline.components]
    with RunDisplay(console, ids, progress) as display:

        def changed(run: NodeRun) -> None:
            heard.changed(run)
            display.changed(run)

        runner = LocalRunner(heard.run_id, run_record(config, context), changed)
        runs = runner.run(pipeline)
    if console.is_terminal:
        console.print(run_table(runs))
    by_node = {run.node: run for run in runs}
    _show_quarantine(console, by_node[nodes.INGEST])
    _show_notes(console, by_node[nodes.INGEST])
    _show_warnings(console, by_node)
    if by_node[nodes.SPLIT].state in ("done", "cached"):
        show_copies(console, SUMMARY.read(by_node[nodes.SPLIT].uris["dataset"]))
    failed = next((run for run in runs if run.state == "failed"), None)
    if by_node[nodes.REPORT].state in ("done", "cached"):
        _publish_report(by_node, folder)
    if failed is not None:
        _show_failure(errors, failed, folder, log)
        return FAILED
    seconds = time.monotonic() - started
    kept = [run for run in runs if run.node not in nodes.NEVER_CACHED]
    if all(run.state == "cached" for run in kept):
        say(console, f"Nothing has changed: all {len(kept)} components came from the cache ({seconds:.0f} s).")
    else:
        say(console, f"Finished in {seconds:.0f} s.")
    return _show_outcome(console, by_node, folder)


def _publish_report(by_node: dict[str, NodeRun], folder: Workdir) -> None:
    """Put the newest report at its fixed place."""
    source = Path(by_node[nodes.REPORT].uris["report"]) / REPORT
    folder.report.parent.mkdir(parents=True, exist_ok=True)
    with replacing(folder.report) as temporary:
        shutil.copyfile(source, temporary)


def _show_quarantine(console: Console, ingest: NodeRun) -> None:
    count = int(ingest.properties.get("images", {}).get("quarantined", 0))
    if not count:
        return
    import pyarrow.parquet as pq

    table = Path(ingest.uris["findings"]) / QUARANTINE
    say(console, f"{count} files can't be used ({table}):")
    rows = pq.read_table(table).to_pylist()
    for row in rows[:_SHOWN]:
        say(console, f"  {row['id']!r}: {row['reason']}")
    if count > _SHOWN:
        say(console, f"  … and {count - _SHOWN} more")


def _show_notes(console: Console, ingest: NodeRun) -> None:
    if ingest.state not in ("done", "cached"):
        return
    for note in SUMMARY.read(ingest.uris["images"]).get("notes", []):
        say(console, note, "yellow")


def _show_warnings(console: Console, by_node: dict[str, NodeRun]) -> None:
    """Show what keeps images together, leaks that the data folder came with, and anomalies that didn't stop the run."""
    split = by_node[nodes.SPLIT].properties.get("dataset", {})
    if captures := split.get("captures"):
        few = int(split["captured"]) < ENOUGH * int(split["searched"])
        text = f"{'Warning: ' if few else ''}split.group_regex: {captures}"
        say(console, text, "yellow" if few else None)
    leaks = int(split.get("leaking_groups", 0))
    if leaks:
        say(console, f"{leaks} groups cross the splits that the data folder came with: a leak.", "yellow")
    gate = by_node[nodes.GATE]
    if not int(gate.properties.get("verdict", {}).get("anomalies", 0)):
        return
    for one in GATE.read(gate.uris["verdict"])["anomalies"][:_SHOWN]:
        text = f"Anomaly in {one['split']}: {one['feature']}: {one['description']}"
        say(console, text, "yellow")


def _show_failure(console: Console, failed: NodeRun, folder: Workdir, log: Path | None) -> None:
    error = failed.error
    text = f"{failed.node} failed: {reason(error, folder.root)}"
    say(console, text, "bold red")
    if log is not None:
        # The disk may be full: what matters is on the screen.
        with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as file:
            if error is not None:
                lines = "".join(traceback.format_exception(error)).splitlines()
                file.writelines(f"{masked(cut(line))}\n" for line in lines)
        say(console, f"Log: {log}")


def _show_outcome(console: Console, by_node: dict[str, NodeRun], folder: Workdir) -> int:
    results = RESULTS.read(by_node[nodes.EVALUATOR].uris["evaluation"])
    pushed = by_node[nodes.PUSHER].properties["pushed_model"]
    if folder.report.exists():
        say(console, f"Report:  {folder.report}")
    comparison = results["comparison"]
    notes = [comparison["text"]] if comparison and not comparison["fair"] else []
    say(console, results["about_baselines"])
    if comparison and comparison["fair"]:
        say(console, comparison["text"])
    analysis = ANALYSIS.read(by_node[nodes.ANALYSIS].uris["analysis"])
    answers = analysis["answers"]
    notes += [analysis["data"]["leak"], answers["text"] if answers["short"] else ""]
    if answers["text"] and not answers["short"]:
        say(console, answers["text"])
    if nodes.RUN_TRACKER in by_node and (missing := by_node[nodes.RUN_TRACKER].properties["tracked"]["problem"]):
        notes.append(f"Not all of this run is logged to MLflow: {missing}. The next run makes up for that.")
    for note in filter(None, notes):
        say(console, note, "yellow")
    if pushed.get("pushed"):
        say(console, f"Model:   {pushed['pushed_destination']}")
        return PUSHED
    reasons = "; ".join(failure["text"] for failure in results["failures"])
    say(console, f"Not blessed, not pushed: {reasons}", "yellow")
    return NOT_BLESSED
