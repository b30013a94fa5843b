"""Which images the report shows, and small pictures of them: so that it needs no data set."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from components.analysis.thumbnails import thumbnails
from components.formats.dataset import read_columns
from components.formats.suspects import shown_rows
from components.scoring.predictions import Predictions

_SOURCES, _COPIES = 8, 6
_MISTAKES = 24
_PER_CELL, _CELLS = 4, 64  # bounds the size of the page, however many classes there are


def make_pictures(dataset: Path, findings: dict[str, Any], test: Predictions) -> dict[str, Any]:
    """Return what the report shows pictures of.

    Args:
        dataset: the split data set.
        findings: what `analyse` found.
        test: predictions of the split test.

    Returns:
        `thumbnails`, data URIs by id; `mistakes` and `suspects`, how many of those in `findings` are shown, from the
        first on; `confusions`, rows of `true` and `predicted` (places in the label map) with some `images`; `copies`,
        rows of a `source`, its `label` and some of its `copies`.
    """
    mistakes, suspects = findings["test"]["mistakes"][:_MISTAKES], shown_rows(findings)
    confusions, sheet = _confusions(test), _contact_sheet(dataset)
    shown = {row["filename"] for row in (*mistakes, *suspects)}
    shown |= {name for row in confusions for name in row["images"]}
    shown |= {name for row in sheet for name in (row["source"], *row["copies"])}
    return {
        "thumbnails": thumbnails(dataset, shown),
        "mistakes": len(mistakes),
        "suspects": len(suspects),
        "confusions": confusions,
        "copies": sheet,
    }


def _confusions(test: Predictions) -> list[dict[str, Any]]:
    """Return a few images of each cell off the confusion matrix's diagonal, the surest mistakes first."""
    found: dict[tuple[int, int], list[tuple[float, str]]] = defaultdict(list)
    for index in np.flatnonzero(test.predicted != test.labels):
        cell = (int(test.labels[index]), int(test.predicted[index]))
        found[cell].append((-float(test.probabilities[index].max()), str(test.names[index])))
    largest = sorted(found, key=lambda cell: (-len(found[cell]), cell))[:_CELLS]
    return [
        {"true": cell[0], "predicted": cell[1], "images": [name for _, name in sorted(found[cell])[:_PER_CELL]]}
        for cell in sorted(largest)
    ]


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
