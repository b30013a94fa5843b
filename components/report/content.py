"""What stands in the report, gathered from the artifacts of a run as plain values."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.formats.dataset import DUPLICATES, QUARANTINE, read_table
from components.formats.documents import ANALYSIS, GATE, PICTURES, RESULTS, SUMMARY, TRAINING, read_leaderboard
from components.report.answers import show_answers
from components.report.baselines import baselines_of
from components.report.charts import Line, histogram, line_chart, reliability_chart
from components.report.classes import class_counts, weakest_classes
from components.report.confusions import confusions
from components.report.copies import copies_of
from components.report.cross_fit import gather_cross_fit
from components.report.explained import explained
from components.report.exports import exports_of
from components.report.lineage_chart import lineage_chart
from components.report.slices import shown_slices
from components.report.suspects import gather_suspects

_LISTED = 200  # of files that can't be used, and of conflicts: their tables hold all


def gather(
    uris: Mapping[str, Path], config: dict[str, Any], graph: dict[str, list[str]], facts: dict[str, Any]
) -> dict[str, Any]:
    """Return everything that the template shows.

    Args:
        uris: folders of `findings`, `summary`, `verdict`, `model_run`, `evaluation`, `analysis`; and `tuner_results`
            where there was a search, `explanation` unless it is switched off, `exports` where there are any.
        config: the resolved configuration.
        graph: by component, those that it follows.
        facts: `pushed`, `destination`, `version`, `versions`, `git_revision`, … of the run.
    """
    ingest, split = SUMMARY.read(uris["findings"]), SUMMARY.read(uris["summary"])
    analysis, results = ANALYSIS.read(uris["analysis"]), RESULTS.read(uris["evaluation"])
    training = TRAINING.read(uris["model_run"])
    pictures = PICTURES.read(uris["analysis"])
    leaderboard = uris.get("tuner_results")
    return {
        "config": config,
        "facts": facts,
        "ingest": ingest,
        "split": split,
        "counts": class_counts(split["counts"]),
        "copied": copies_of(split),
        "quarantine": read_table(uris["findings"] / QUARANTINE).to_pylist()[:_LISTED],
        "conflicts": _conflicts(uris["findings"] / DUPLICATES),
        "gate": GATE.read(uris["verdict"]),
        "sheet": pictures["copies"],
        "training": training,
        "leaderboard": read_leaderboard(leaderboard) if leaderboard else [],
        "results": results,
        **baselines_of(results),
        "slices": shown_slices(results),
        "analysis": analysis,
        "answers": show_answers(analysis.get("answers")),
        "mistakes": analysis["test"]["mistakes"][: pictures["mistakes"]],
        **gather_cross_fit(analysis),
        "suspects": gather_suspects(analysis, pictures),
        "explanation": explained(uris.get("explanation"), analysis["labels"]),
        "exports": exports_of(uris.get("exports"), facts["pushed"]),
        "weakest": weakest_classes(analysis["test"]["metrics"]["per_class"]),
        **confusions(analysis["test"]["confusion_matrix"], analysis["labels"], pictures["confusions"]),
        "graph": graph,
        "thumbnails": pictures["thumbnails"],
        "charts": _charts(ingest, training, analysis, graph),
    }


def _conflicts(table: Path) -> dict[str, Any]:
    """Return how many groups of identical images have different labels, and the first of them."""
    by_key: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in read_table(table).to_pylist():
        if row["kind"] == "conflict":
            by_key[row["key"]].append({"filename": row["id"], "label": row["label"]})
    return {"in_all": len(by_key), "groups": [images for _, images in sorted(by_key.items())][:_LISTED]}


def _charts(
    ingest: dict[str, Any], training: dict[str, Any], analysis: dict[str, Any], graph: dict[str, list[str]]
) -> dict[str, Any]:
    history = training["history"]
    epochs = [float(row["epoch"]) for row in history]
    best = training["best_epoch"]

    def lines(name: str) -> list[Line]:
        return [
            Line("train", [row.get(name) for row in history], "one"),
            Line("eval", [row.get(f"val_{name}") for row in history], "two"),
        ]

    step = 256 // len(ingest["brightness"])
    brightness_labels = [str(index * step) for index in range(len(ingest["brightness"]))]
    sizes = ingest["sizes"]
    calibration = analysis["test"]["calibration"]
    charts = {
        "loss": line_chart("Loss by epoch", epochs, lines("loss"), "epoch", best),
        "accuracy": line_chart("Accuracy by epoch", epochs, lines("accuracy"), "epoch", best),
        "rate": line_chart(
            "Learning rate by epoch",
            epochs,
            [Line("rate", [row.get("learning_rate") for row in history], "one")],
            "epoch",
            best,
            log=True,
        ),
        "speed": line_chart(
            "Images per second by epoch",
            epochs,
            [Line("speed", [row.get("images_per_second") for row in history], "one")],
            "epoch",
            best,
        ),
        "brightness": histogram(
            "Images by mean brightness", ingest["brightness"], brightness_labels, "mean luma, 0–255"
        ),
        "sizes": histogram("Images by size", list(sizes.values()), list(sizes), "width × height"),
        "reliability": reliability_chart("Reliability on the test split", calibration["bins"]),
        "graph": lineage_chart("The run's components; each follows those it is joined to", graph),
    }
    if calibration["bins_before"]:
        charts["reliability_before"] = reliability_chart("Reliability before calibration", calibration["bins_before"])
    return charts
