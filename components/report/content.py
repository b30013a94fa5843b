"""What stands in the report, gathered from the artifacts of a run as plain values."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.formats.dataset import DUPLICATES, QUARANTINE, SPLITS, read_columns, read_table
from components.formats.documents import ANALYSIS, GATE, PREDICTIONS, RESULTS, SUMMARY, TRAINING, read_leaderboard
from components.report.charts import Line, graph_chart, histogram, line_chart, reliability_chart
from components.report.thumbnails import thumbnails

_SOURCES, _COPIES = 8, 6
_MISTAKES, _SUSPECTS, _QUARANTINED = 24, 24, 50
_PER_CELL, _CELLS = 4, 64  # bounds the size of the page, however many classes there are


def gather(
    uris: Mapping[str, Path], config: dict[str, Any], graph: dict[str, list[str]], facts: dict[str, Any]
) -> dict[str, Any]:
    """Return everything that the template shows.

    Args:
        uris: folders of `images`, `dataset`, `verdict`, `model_run`, `evaluation`, `analysis`; and `tuner_results`
            where there was a search.
        config: the resolved configuration.
        graph: by component, those it takes something from.
        facts: `pushed`, `destination`, `version`, `versions`, `git_revision`, … of the run.
    """
    ingest, split = SUMMARY.read(uris["images"]), SUMMARY.read(uris["dataset"])
    analysis, results = ANALYSIS.read(uris["analysis"]), RESULTS.read(uris["evaluation"])
    training = TRAINING.read(uris["model_run"])
    cells = _cells(uris["analysis"] / PREDICTIONS, analysis["labels"])
    sheet = _contact_sheet(uris["dataset"])
    shown = {row["filename"] for row in analysis["test"]["mistakes"][:_MISTAKES]}
    shown |= {row["filename"] for row in analysis["suspects"][:_SUSPECTS]}
    shown |= {name for names in cells.values() for name in names}
    shown |= {name for row in sheet for name in (row["source"], *row["copies"])}
    leaderboard = uris.get("tuner_results")
    return {
        "config": config,
        "facts": facts,
        "ingest": ingest,
        "split": split,
        "counts": _counts(split),
        "quarantine": read_table(uris["images"] / QUARANTINE).to_pylist()[:_QUARANTINED],
        "conflicts": _conflicts(uris["images"] / DUPLICATES),
        "gate": GATE.read(uris["verdict"]),
        "sheet": sheet,
        "training": training,
        "leaderboard": read_leaderboard(leaderboard) if leaderboard else [],
        "results": results,
        "analysis": analysis,
        "mistakes": analysis["test"]["mistakes"][:_MISTAKES],
        "suspects": analysis["suspects"][:_SUSPECTS],
        "matrix": _matrix(analysis["test"]["confusion_matrix"], analysis["labels"], cells),
        "graph": graph,
        "thumbnails": thumbnails(uris["dataset"], shown),
        "charts": _charts(ingest, training, analysis, graph),
    }


def _counts(split: dict[str, Any]) -> dict[str, Any]:
    """Return images by class and split, with the largest number for the bars."""
    labels = sorted({label for by_label in split["counts"].values() for label in by_label})
    rows = [
        {"label": label, **{s: split["counts"][s].get(label, {"originals": 0, "copies": 0}) for s in SPLITS}}
        for label in labels
    ]
    totals = {s: {kind: sum(row[s][kind] for row in rows) for kind in ("originals", "copies")} for s in SPLITS}
    largest = max((row[s]["originals"] + row[s]["copies"] for row in rows for s in SPLITS), default=1)
    return {"rows": rows, "totals": totals, "largest": largest or 1}


def _conflicts(table: Path) -> list[dict[str, Any]]:
    """Return groups of identical images with different labels."""
    by_key: dict[str, list[str]] = defaultdict(list)
    for row in read_table(table).to_pylist():
        if row["kind"] == "conflict":
            by_key[row["key"]].append(f"{row['id']} ({row['label']})")
    return [{"images": images} for _, images in sorted(by_key.items())][:_QUARANTINED]


def _contact_sheet(dataset: Path) -> list[dict[str, Any]]:
    """Originals of the train split with the most copies, of as many classes as there is room for."""
    columns = ("id", "label", "source_id", "copy")
    rows = read_columns(dataset, "train", columns).to_pylist()
    originals = {row["id"]: row["label"] for row in rows if row["copy"] == 0}
    copies: dict[str, list[str]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["copy"], row["id"])):
        if row["copy"] > 0 and row["source_id"] in originals:
            copies[row["source_id"]].append(row["id"])
    order = sorted(copies, key=lambda source: (-len(copies[source]), source))
    by_label: dict[str, list[str]] = defaultdict(list)
    for source in order:
        by_label[originals[source]].append(source)
    chosen: list[str] = []
    for turn in range(_SOURCES):
        chosen += [sources[turn] for _, sources in sorted(by_label.items()) if turn < len(sources)]
    return [
        {"source": source, "label": originals[source], "copies": copies[source][:_COPIES]}
        for source in chosen[:_SOURCES]
    ]


def _cells(predictions: Path, labels: list[str]) -> dict[tuple[int, int], list[str]]:
    """Return a few images of each cell off the confusion matrix's diagonal, the surest mistakes first."""
    table = [row for row in read_table(predictions).to_pylist() if row["split"] == "test"]
    found: dict[tuple[int, int], list[tuple[float, str]]] = defaultdict(list)
    place = {label: index for index, label in enumerate(labels)}
    for row in table:
        if row["label"] != row["predicted"]:
            cell = (place[row["label"]], place[row["predicted"]])
            found[cell].append((-row[f"probability/{row['predicted']}"], row["filename"]))
    largest = sorted(found, key=lambda cell: (-len(found[cell]), cell))[:_CELLS]
    return {cell: [name for _, name in sorted(found[cell])[:_PER_CELL]] for cell in sorted(largest)}


def _matrix(
    counts: list[list[int]], labels: list[str], cells: dict[tuple[int, int], list[str]]
) -> list[dict[str, Any]]:
    rows = []
    for index, (label, row) in enumerate(zip(labels, counts, strict=True)):
        total = sum(row)
        columns = [
            {
                "column": column,
                "count": count,
                "share": count / total if total else 0.0,
                "images": cells.get((index, column), []),
            }
            for column, count in enumerate(row)
        ]
        rows.append({"label": label, "total": total, "columns": columns})
    return rows


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
            "Images by mean brightness", ingest["brightness"], brightness_labels, "mean grey level, 0–255"
        ),
        "sizes": histogram("Images by size", list(sizes.values()), list(sizes), "width × height"),
        "reliability": reliability_chart("Reliability on the test split", calibration["bins"]),
        "graph": graph_chart("The run's components and what they take from each other", graph),
    }
    if calibration["bins_before"]:
        charts["reliability_before"] = reliability_chart("Reliability before calibration", calibration["bins_before"])
    return charts
