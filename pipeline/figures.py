"""The one figure of each component that the run's table shows, from the properties of its artifacts."""

from collections.abc import Callable, Mapping
from typing import Any

from components.formats import nodes

Properties = Mapping[str, Mapping[str, Any]]


def key_figure(node: str, outputs: Properties) -> str:
    """Return a few words on what a component made; "" where there is nothing to say."""
    describe = _FIGURES.get(node)
    try:
        return describe(outputs) if describe else ""
    except KeyError:  # made by another version of the component
        return ""


def _count(number: Any, what: str) -> str:
    return f"{int(number):,} {what}"


def _ingest(outputs: Properties) -> str:
    images = outputs["images"]
    text = f"{_count(images['images'], 'images')}, {_count(images['classes'], 'classes')}"
    text += f", {_count(images['quarantined'], 'quarantined')}" if images["quarantined"] else ""
    unused = images.get("unused_images")  # which an earlier version didn't count
    return text + (f", {_count(unused, 'beside the data')}" if unused else "")


def _splits(outputs: Properties, output: str, suffix: str) -> str:
    values = outputs[output]
    return " + ".join(f"{int(values[f'{split}_{suffix}']):,} {split}" for split in ("train", "eval", "test"))


def _gate(outputs: Properties) -> str:
    anomalies = int(outputs["verdict"]["anomalies"])
    return _count(anomalies, "anomalies") if anomalies else "no anomalies"


def _trainer(outputs: Properties) -> str:
    run = outputs["model_run"]
    return f"{run['architecture']}, eval accuracy {run['eval_accuracy']:.3f}"


def _baseline(outputs: Properties) -> str:
    version = outputs["model"]["version"]
    return f"version {version}" if version else "none to compare with"


def _evaluator(outputs: Properties) -> str:
    values = outputs["evaluation"]
    verdict = "blessed" if values["blessed"] else "not blessed"
    text = f"test accuracy {values['accuracy']:.3f}, macro-F1 {values['macro_f1']:.3f}"
    if "gain" in values:  # over a pushed model
        text += f", gain {values['gain']:+.3f} ({values['gain_low']:+.3f} to {values['gain_high']:+.3f})"
    return f"{text}: {verdict}"


def _analysis(outputs: Properties) -> str:
    values = outputs["analysis"]
    text = _count(values["suspects"], "suspicious labels")
    if "accuracy_low" in values:  # which an earlier version didn't record
        text = f"accuracy within {values['accuracy_low']:.3f} – {values['accuracy_high']:.3f} (95 %), {text}"
    return text


def _explanation(outputs: Properties) -> str:
    values = outputs["explanation"]
    pairs = int(values["near_duplicates"])
    text = f"{_count(values['embedded'], 'images looked at')}, "
    if not pairs:
        return f"{text}no near-duplicates across splits"
    return f"{text}{pairs:,} {'pair' if pairs == 1 else 'pairs'} of near-duplicates across splits"


def _pusher(outputs: Properties) -> str:
    values = outputs["pushed_model"]
    return f"version {values['pushed_version']}" if values["pushed"] else "not pushed"


_FIGURES: dict[str, Callable[[Properties], str]] = {
    nodes.INGEST: _ingest,
    nodes.SPLIT: lambda outputs: _splits(outputs, "dataset", "images"),
    nodes.CONVERTER: lambda outputs: _splits(outputs, "examples", "examples"),
    nodes.GATE: _gate,
    nodes.TRAINER: _trainer,
    nodes.BASELINE: _baseline,
    nodes.EVALUATOR: _evaluator,
    nodes.ANALYSIS: _analysis,
    nodes.EXPLANATION: _explanation,
    nodes.PUSHER: _pusher,
}
