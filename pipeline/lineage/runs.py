"""Runs, executions and artifacts as rows for a table: plain values, a missing number is None."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.formats.nodes import DATA_DIGEST, INGEST, REPORT
from pipeline.lineage.files import FILES
from pipeline.lineage.store import Artifact, Execution, LineageStore, Run, StoreError

# Custom properties that TFX, or Kubeflow, adds to every artifact and that say nothing.
_NOISE = {"tfx_version", "is_external", "name", "state", "producer_component", "pipeline_name"}
_NOISE |= {"display_name", "store_session_info", FILES}

Row = dict[str, Any]


def find_run(store: LineageStore, name: str) -> Run:
    """Return the run of that id or name, or the latest.

    Raises:
        StoreError: there is no such run.
    """
    runs = store.runs()
    if not runs:
        raise StoreError("no run is recorded here yet")
    if name == "latest":
        return runs[0]
    for run in runs:
        if name in (str(run.id), run.name):
            return run
    raise StoreError(f"no run {name}. The latest are {', '.join(str(run.id) for run in runs[:5])}, or say latest")


def run_row(store: LineageStore, run: Run, locked: bool) -> Row:
    """Return one run: id, when, state, duration, components by what became of them, figures."""
    executions = store.executions_of(run)
    states = [state_of(execution, run, locked) for execution in executions]
    figures: Row = {"accuracy": None, "blessed": None, "pushed": None}
    for artifact in store.artifacts_of(run):
        if artifact.type == "ModelEvaluation":
            figures["accuracy"] = _number(artifact.properties.get("accuracy"))
            figures["blessed"] = _flag(artifact.properties.get("blessed"))
        elif artifact.type == "PushedModel":
            figures["pushed"] = artifact.properties.get("pushed_version") or None
    return {
        "id": run.id,
        "name": run.name,
        "started": run.created,
        "config": run.properties.get("config_digest", ""),
        "state": run_state(run, locked, executions),
        "seconds": run.properties["milliseconds"] / 1000 if "milliseconds" in run.properties else _seconds(executions),
        "executed": states.count("complete"),
        "cached": states.count("cached"),
        "failed": states.count("failed"),
        **figures,
    }


def run_state(run: Run, locked: bool, executions: Sequence[Execution]) -> str:
    """succeeded, failed, running, or interrupted: left running while nobody holds the folder's lock.

    Kubeflow records no state of a run in ML Metadata. It is that of the run's executions then: nothing runs between two
    of them, so our pipeline runs on until it has its last one.
    """
    recorded = run.properties.get("state")
    if recorded == "running":
        return "running" if locked else "interrupted"
    if recorded:
        return str(recorded)
    states = [state_of(execution, run, locked) for execution in executions]
    if "failed" in states:
        return "failed"
    components = {execution.component for execution in executions}
    is_going_on = not components or (not components.isdisjoint((DATA_DIGEST, INGEST)) and REPORT not in components)
    return "running" if is_going_on or "running" in states else "succeeded"


def state_of(execution: Execution, run: Run | None, locked: bool) -> str:
    """Return an execution's state in lower case; left RUNNING by a killed run it is interrupted."""
    if execution.state == "RUNNING" and not locked and (run is None or "state" in run.properties):
        return "interrupted"
    return execution.state.lower()


def execution_rows(store: LineageStore, run: Run, locked: bool) -> list[Row]:
    """Return a run's executions."""
    return [
        {
            "id": f"execution:{execution.id}",
            "component": execution.component,
            "state": state_of(execution, run, locked),
            "started": execution.created,
            "seconds": (execution.updated - execution.created) / 1000,
        }
        for execution in store.executions_of(run)
    ]


def artifact_rows(
    artifacts: Sequence[Artifact], kind: str | None = None, name: str | None = None, sizes: bool = True
) -> list[Row]:
    """Artifacts, by type and by a part of their URI or name if asked for."""
    rows = []
    for artifact in artifacts:
        if kind is not None and kind.lower() not in (artifact.type.lower(), artifact.type.lower().rsplit(".", 1)[-1]):
            continue
        if name is not None and name.lower() not in f"{artifact.uri} {artifact.properties.get('name', '')}".lower():
            continue
        rows.append(
            {
                "id": f"artifact:{artifact.id}",
                "type": artifact.type,
                "uri": artifact.uri,
                "bytes": size_of(artifact.uri) if sizes else None,
                "state": artifact.state.lower(),
                "properties": key_properties(artifact.properties),
            }
        )
    return rows


def key_properties(properties: dict[str, Any]) -> dict[str, Any]:
    """Return what is worth reading of an artifact's properties; a whole matrix isn't."""
    found = sorted(properties.items())
    return {name: value for name, value in found if name not in _NOISE and not isinstance(value, dict)}


def size_of(uri: str) -> int | None:
    """Bytes below a local path; None where there is none."""
    path = Path(uri)
    if "://" in uri or not path.exists():
        return None
    if path.is_file():
        return path.stat().st_size
    return _below(str(path))


def _below(folder: str) -> int:
    """Return the bytes of the regular files below a folder: four times as fast as by `Path.rglob`."""
    size = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                size += _below(entry.path)
            elif entry.is_file(follow_symlinks=False):
                size += entry.stat(follow_symlinks=False).st_size
    return size


def configuration(run: Run) -> dict[str, Any]:
    """Return the resolved configuration of a run, flat: `train.epochs` → 30; empty where none was recorded."""
    found: dict[str, Any] = {}

    def visit(values: dict[str, Any], prefix: str) -> None:
        for key, value in values.items():
            if isinstance(value, dict) and value:
                visit(value, f"{prefix}{key}.")
            else:
                found[f"{prefix}{key}"] = value

    visit(json.loads(run.properties.get("config", "{}")), "")
    return found


def _seconds(executions: Sequence[Execution]) -> float | None:
    if not executions:
        return None
    return (max(one.updated for one in executions) - min(one.created for one in executions)) / 1000


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _flag(value: Any) -> bool | None:
    return None if value is None else bool(value)
