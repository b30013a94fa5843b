"""What a notice says. Pure.

`text` is what Slack, Mattermost and Teams show of the object; the rest is for programs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from components.formats import nodes

State = Literal["succeeded", "not blessed", "failed", "interrupted", "unknown"]
Properties = Mapping[str, Mapping[str, Any]]

_LONGEST = 300  # characters of a cause
# Name in the notice: component, its output, the property.
_FIGURES = {
    "images": (nodes.INGEST, "images", "images"),
    "test_accuracy": (nodes.EVALUATOR, "evaluation", "accuracy"),
    "test_accuracy_low": (nodes.ANALYSIS, "analysis", "accuracy_low"),
    "test_accuracy_high": (nodes.ANALYSIS, "analysis", "accuracy_high"),
    "test_macro_f1": (nodes.EVALUATOR, "evaluation", "macro_f1"),
    "gain": (nodes.EVALUATOR, "evaluation", "gain"),
    "suspects": (nodes.ANALYSIS, "analysis", "suspects"),
}


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        run: its name; "" where it ended before it had one.
        state: how; unknown where Kubeflow can't be asked.
        component: the first that failed; "" if none did.
        cause: why it failed, in a line; "" likewise.
        figures: scores and counts, by name; those that there are.
        report: where the report is; "" where there is none.
        model: where the model was pushed; "" where it wasn't.
    """

    run: str
    state: State
    component: str = ""
    cause: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    report: str = ""
    model: str = ""


def figures(properties: Mapping[str, Properties]) -> dict[str, float]:
    """Return the figures of a run.

    Args:
        properties: of output artifacts, by component and output.
    """
    found = {name: properties.get(node, {}).get(output, {}).get(key) for name, (node, output, key) in _FIGURES.items()}
    numbers = {name: float(value) for name, value in found.items() if isinstance(value, int | float)}
    return {name: value for name, value in numbers.items() if math.isfinite(value)}  # JSON has no others


def one_line(text: str) -> str:
    """Return a cause in a line of bearable length."""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def as_message(outcome: Outcome) -> dict[str, Any]:
    """Return the object that is sent."""
    return {
        "text": _text(outcome),
        "run": outcome.run,
        "state": outcome.state,
        "component": outcome.component or None,
        "cause": outcome.cause or None,
        "figures": dict(outcome.figures),
        "model": outcome.model or None,
        "report": outcome.report or None,
    }


def _text(outcome: Outcome) -> str:
    head = " ".join(filter(None, ["affect: run", outcome.run, _STATES[outcome.state]]))
    if outcome.component:
        head += f" at {outcome.component}"
    if outcome.cause:
        head += f": {outcome.cause}"
    lines = [head, _scores(outcome.figures)]
    named = {"Model": outcome.model, "Report": outcome.report}
    lines += [f"{name}: {where}" for name, where in named.items() if where]
    return "\n".join(filter(None, lines))


_STATES: dict[State, str] = {
    "succeeded": "succeeded",
    "not blessed": "ended: the model is not good enough and was not pushed",
    "failed": "failed",
    "interrupted": "was interrupted",
    "unknown": "ended, and how it did can't be asked",
}


def _scores(found: Mapping[str, float]) -> str:
    if "test_accuracy" not in found:
        return ""
    text = f"Test accuracy {found['test_accuracy']:.3f}"
    if {"test_accuracy_low", "test_accuracy_high"} <= found.keys():
        text += f" ({found['test_accuracy_low']:.3f} – {found['test_accuracy_high']:.3f})"
    text += f", macro-F1 {found['test_macro_f1']:.3f}" if "test_macro_f1" in found else ""
    return text + (f", gain {found['gain']:+.3f}" if "gain" in found else "")
