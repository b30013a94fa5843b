"""The one figure of each component that the run's table shows, from the properties of its artifacts."""

from collections.abc import Callable, Mapping
from typing import Any, get_args

from components.formats import nodes
from components.formats.exports import SAVED_MODEL, Format
from components.tools.wording import counted

Properties = Mapping[str, Mapping[str, Any]]
_FITTED = ("accuracy", "macro_f1")  # of each fold


def key_figure(node: str, outputs: Properties) -> str:
    """Return a few words on what a component made; "" where there is nothing to say."""
    describe = _FIGURES.get(nodes.kind_of(node))
    try:
        return describe(outputs) if describe else ""
    except KeyError:  # made by another version of the component
        return ""


def _ingest(outputs: Properties) -> str:
    images = outputs["images"]
    text = f"{counted(images['images'], 'image')}, {counted(images['classes'], 'class', 'classes')}"
    text += f", {int(images['quarantined']):,} quarantined" if images["quarantined"] else ""
    unused = images.get("unused_images")  # which an earlier version didn't count
    return text + (f", {int(unused):,} beside the data" if unused else "")


def _splits(outputs: Properties, output: str, suffix: str) -> str:
    values = outputs[output]
    return " + ".join(f"{int(values[f'{split}_{suffix}']):,} {split}" for split in ("train", "eval", "test"))


def _split(outputs: Properties) -> str:
    most = float(outputs["dataset"].get("most_copies_per_image", 0.0))  # which an earlier version didn't record
    return _splits(outputs, "dataset", "images") + (f", up to {most:.1f} copies per original" if most else "")


def _gate(outputs: Properties) -> str:
    anomalies = int(outputs["verdict"]["anomalies"])
    return counted(anomalies, "anomaly", "anomalies") if anomalies else "no anomalies"


def _simple_baselines(outputs: Properties) -> str:
    values = outputs["baselines"]

    def accuracy(name: str) -> str:
        low, high = values[f"{name}_low"], values[f"{name}_high"]
        return f"{values[f'{name}_accuracy']:.3f} ({low:.3f} – {high:.3f})"

    always = f"always '{values['largest_class']}' {accuracy('largest_class')}"
    return f"test accuracy of {always}, of a linear model {accuracy('linear_model')}"


def _trainer(outputs: Properties) -> str:
    run = outputs["model_run"]
    if "held_out_accuracy" in run:  # of a fold
        return f"{run['architecture']}, held-out accuracy {run['held_out_accuracy']:.3f}"
    text = f"{run['architecture']}, eval accuracy {run['eval_accuracy']:.3f}"
    return text + (f", answers {run['answered']:.0%} of eval" if "answered" in run else "")


def _folds(outputs: Properties) -> str:
    values = outputs["examples"]
    return f"{counted(values['images'], 'image')} in {counted(values['folds'], 'fold')}"


def _cross_fit(outputs: Properties) -> str:
    values = outputs["cross_fit"]
    scores = (f"{name.replace('_f', '-F')} {values[name]:.3f} ± {values[f'{name}_spread']:.3f}" for name in _FITTED)
    return f"{', '.join(scores)} over {counted(values['folds'], 'fold')}"


def _ensemble(outputs: Properties) -> str:
    values = outputs["ensemble"]
    return f"{counted(values['members'], 'model')}, {values['megabytes']:,.0f} MB"


def _baseline(outputs: Properties) -> str:
    version = outputs["model"]["version"]
    return f"version {version}" if version else "none to compare with"


def _evaluator(outputs: Properties) -> str:
    values = outputs["evaluation"]
    verdict = "blessed" if values["blessed"] else "not blessed"
    text = f"test accuracy {values['accuracy']:.3f}, macro-F1 {values['macro_f1']:.3f}"
    if "gain" in values:  # over a pushed model
        text += f", gain {values['gain']:+.3f} ({values['gain_low']:+.3f} to {values['gain_high']:+.3f})"
    if "worst_slice" in values:
        text += f", worst slice {values['worst_slice']} {values['worst_slice_accuracy']:.3f}"
    elif "judged_slices" in values:
        text += ", no slice large enough to judge"
    return f"{text}: {verdict}"


def _analysis(outputs: Properties) -> str:
    values = outputs["analysis"]
    text = counted(values["suspects"], "suspicious label")
    if (
        values["suspects"] and "suspects_expected" in values
    ):  # which an earlier version didn't record, like what follows
        text += f", up to {int(values['suspects_expected']):,} expected to be wrong"
    if "accuracy_low" in values:
        text = f"accuracy within {values['accuracy_low']:.3f} – {values['accuracy_high']:.3f} (95 %), {text}"
    if "answered" in values:  # where evaluate.target_precision is set
        text += f", answers {values['answered']:.0%}"
        text += f", {values['precision']:.3f} of these right" if "precision" in values else ""
    return text


def _explanation(outputs: Properties) -> str:
    values = outputs["explanation"]
    pairs = int(values["near_duplicates"])
    text = f"{counted(values['embedded'], 'image')} looked at, "
    if not pairs:
        return f"{text}no near-duplicates across splits"
    return f"{text}{counted(pairs, 'pair')} of near-duplicates across splits"


def _export(outputs: Properties) -> str:
    values = outputs["exports"]
    texts = []
    for name in filter(lambda name: name != SAVED_MODEL, get_args(Format)):
        key = name.replace("-", "_")
        if f"{key}_agreement" in values:
            text = f"{name} {values[f'{key}_agreement']:.3f}"
            texts.append(text if values[f"{key}_agrees"] else f"{text} (too little)")
    return f"share of labels as the SavedModel's: {', '.join(texts)}"


def _drift_reference(outputs: Properties) -> str:
    values = outputs["reference"]
    return f"{counted(values['images'], 'test image')} to hold what is served against, {values['megabytes']:.1f} MB"


def _pusher(outputs: Properties) -> str:
    values = outputs["pushed_model"]
    return f"version {values['pushed_version']}" if values["pushed"] else "not pushed"


def _batch_predict(outputs: Properties) -> str:
    values = outputs["predictions"]
    if "predicted_by" not in values:
        return "nothing, since no model was pushed"
    text = f"{counted(values['predicted'], 'prediction')} by version {values['predicted_by']}"
    if "accepted" in values and values["accepted"] < values["predicted"]:
        text += f", sure enough of {int(values['accepted']):,} of them"
    return text + (f", {int(values['quarantined']):,} quarantined" if values["quarantined"] else "")


def _run_tracker(outputs: Properties) -> str:
    values = outputs["tracked"]
    return f"not complete: {values['problem']}" if values["problem"] else f"run {values['run']}"


def _registration(outputs: Properties) -> str:
    values = outputs["registered"]
    return f"{int(values['registered']):,} new of {counted(values['versions'], 'version')} of {values['model']}"


_FIGURES: dict[str, Callable[[Properties], str]] = {
    nodes.INGEST: _ingest,
    nodes.SPLIT: _split,
    nodes.CONVERTER: lambda outputs: _splits(outputs, "examples", "examples"),
    nodes.GATE: _gate,
    nodes.SIMPLE_BASELINES: _simple_baselines,
    nodes.TRAINER: _trainer,
    nodes.FOLDS: _folds,
    nodes.CROSS_FIT: _cross_fit,
    nodes.ENSEMBLE: _ensemble,
    nodes.BASELINE: _baseline,
    nodes.EVALUATOR: _evaluator,
    nodes.ANALYSIS: _analysis,
    nodes.EXPLANATION: _explanation,
    nodes.EXPORT: _export,
    nodes.DRIFT_REFERENCE: _drift_reference,
    nodes.PUSHER: _pusher,
    nodes.BATCH_PREDICT: _batch_predict,
    nodes.RUN_TRACKER: _run_tracker,
    nodes.REGISTRATION: _registration,
}
