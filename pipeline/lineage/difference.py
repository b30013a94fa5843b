"""What changed between two runs: options, code, data, inputs, figures."""

import json
from collections.abc import Mapping
from typing import Any

from pipeline.lineage.runs import Row, configuration
from pipeline.lineage.store import Execution, LineageStore, Run

# They repeat figures of other artifacts, for Kubeflow's pages.
_REPEATED = ("system.Metrics", "system.ClassificationMetrics")
_RECORDED = ("recipe", "data", "folder_digest", "git_revision", "git_dirty", "python", "versions")


def difference(store: LineageStore, first: Run, second: Run) -> list[Row]:
    """Return what isn't the same in both: what it is, its name, the value in either (None where it is missing)."""
    rows = _compare("option", configuration(first), configuration(second))
    recorded = [{name: run.properties[name] for name in _RECORDED if name in run.properties} for run in (first, second)]
    rows += _compare("run", *recorded)
    rows += _compare("parameter of the run", store.parameters_of(first), store.parameters_of(second))
    executions = [{one.component: one for one in store.executions_of(run)} for run in (first, second)]
    inputs = [_inputs(store, by_component) for by_component in executions]
    for component in sorted(set(executions[0]) | set(executions[1])):
        pair = [by_component.get(component) for by_component in executions]
        rows += _compare(f"parameter of {component}", *(_parameters(one) for one in pair))
        rows += _compare(f"input of {component}", *(taken.get(component, {}) for taken in inputs))
    figures = [_figures(store, run) for run in (first, second)]
    return rows + _compare("figure", *figures)


def _compare(what: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Row]:
    return [
        {"what": what, "name": name, "first": first.get(name), "second": second.get(name)}
        for name in sorted(set(first) | set(second))
        if first.get(name) != second.get(name)
    ]


def _parameters(execution: Execution | None) -> dict[str, Any]:
    """Return an execution's parameters; those in JSON by their keys, so that one changed option shows as one."""
    found: dict[str, Any] = {}
    for name, value in (execution.parameters if execution else {}).items():
        try:
            parsed = json.loads(value) if isinstance(value, str) and value.startswith("{") else None
        except ValueError:
            parsed = None
        # The report's parameters repeat the configuration and the graph.
        if isinstance(parsed, dict) and name not in ("config", "graph", "facts"):
            found.update({f"{name}.{key}": inner for key, inner in parsed.items()})
        elif parsed is None:
            found[name] = value
    return found


def _inputs(store: LineageStore, executions: Mapping[str, Execution]) -> dict[str, dict[str, str]]:
    """Return, by component and input, which output of the run it is; if of none, which artifact.

    Each run that makes its data again has new artifacts: that they have other numbers is no change.
    """
    names = {one.id: component for component, one in executions.items()}
    events = store.events_of_executions(names)
    made = {event.artifact: f"{names[event.execution]} {event.key}" for event in events if not event.is_input}
    taken: dict[str, dict[str, str]] = {}
    for event in events:
        if event.is_input:
            source = made.get(event.artifact, f"artifact:{event.artifact}")
            taken.setdefault(names[event.execution], {})[event.key] = source
    return taken


def _figures(store: LineageStore, run: Run) -> dict[str, Any]:
    """Numbers that are recorded of a run's artifacts."""
    found: dict[str, Any] = {}
    for artifact in store.artifacts_of(run):
        for name, value in artifact.properties.items() if artifact.type not in _REPEATED else ():
            if isinstance(value, int | float) and name != "is_external":
                found[f"{artifact.type.rsplit('.', 1)[-1]}.{name}"] = value
    return found
