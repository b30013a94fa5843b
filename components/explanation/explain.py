"""Everything that ModelExplanation finds, as one JSON value with its pictures, and a table of near-duplicates."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from components.explanation.embeddings import Embed, Embeddings
from components.explanation.flat_map import drawn, flat_map
from components.explanation.heat_map import heat_maps
from components.explanation.mistakes import (
    SHOWN,
    Explain,
    explained_mistakes,
    neighbours_of,
    typical,
)
from components.explanation.near_duplicates import QUALITY, Pair, Read, Rule
from components.explanation.options import ExplainOptions
from components.explanation.pictures import beside, pixels_of

_CLASSES, _TYPICAL = 16, 3  # shown with heat maps; those with the most test images first
_PAIRS = 24  # shown


def explain(
    embeddings: Embeddings,
    findings: Mapping[str, Any],
    predicted: Mapping[str, str],
    rule: Rule,
    pairs: Sequence[Pair],
    options: ExplainOptions,
    seed: int,
    read: Read,
    embed: Embed,
    ask: Explain,
) -> dict[str, Any]:
    """Return what the report shows.

    Args:
        embeddings: of all originals.
        findings: of PredictionAnalysis.
        predicted: class by id, of the images of test.
        rule: by which near-duplicates were found.
        pairs: those found.
        options: of the map.
        seed: of what is random in the map.
        read: from ids to ids and encoded images, in any order.
        embed: from encoded images to features, batch by batch.
        ask: encoded image to activation maps.

    Returns:
        `mistakes` (see `explained_mistakes`), `typical`, `map` and `near_duplicates`.
    """
    mistakes = findings["test"]["mistakes"][:SHOWN]
    labels = findings["labels"]
    images = dict(read([row["filename"] for row in mistakes]))
    neighbours = neighbours_of(images, embeddings, embed)
    of_class = _largest(typical(embeddings, predicted, _TYPICAL), embeddings)
    shown_pairs = pairs[:_PAIRS]
    wanted = {one.filename for found in neighbours.values() for one in found}
    wanted |= {name for names in of_class.values() for name in names}
    wanted |= {str(embeddings.names[row]) for pair in shown_pairs for row in (pair.image, pair.other)}
    images |= dict(read(wanted))
    return {
        "mistakes": explained_mistakes(mistakes, labels, neighbours, images, ask, rule),
        "typical": [
            {"label": label, "images": [_typical(name, images[name], labels.index(label), ask) for name in names]}
            for label, names in of_class.items()
        ],
        "map": _map(embeddings, labels, predicted, options, seed),
        "near_duplicates": _near_duplicates(embeddings, rule, pairs, shown_pairs, images),
    }


def _largest(of_class: Mapping[str, list[str]], embeddings: Embeddings) -> dict[str, list[str]]:
    counts = {label: int((embeddings.of("test").labels == label).sum()) for label in of_class}
    kept = sorted(of_class, key=lambda label: (-counts[label], label))[:_CLASSES]
    return {label: of_class[label] for label in sorted(kept)}


def _typical(name: str, image: bytes, label: int, ask: Explain) -> dict[str, str]:
    pixels = pixels_of(image)
    [heat] = heat_maps(pixels, *ask(image), [label])
    return {
        "filename": name,
        "picture": beside(pixels),
        "heat": beside(heat),
    }


def _map(
    embeddings: Embeddings, labels: Sequence[str], predicted: Mapping[str, str], options: ExplainOptions, seed: int
) -> dict[str, Any]:
    test = embeddings.of("test")
    said = np.array([predicted[str(name)] for name in test.names], np.str_)
    wrong = said != test.labels
    rows = drawn(test.names, wrong, options.map_points)
    return {
        **flat_map(np.asarray(test.features[rows]), options.map, seed),
        "images": len(test.names),
        "mistakes": int(wrong.sum()),
        "filename": test.names[rows].tolist(),
        "true": [labels.index(label) for label in test.labels[rows].tolist()],
        "predicted": [labels.index(label) for label in said[rows].tolist()],
    }


def _near_duplicates(
    embeddings: Embeddings, rule: Rule, pairs: Sequence[Pair], shown: Sequence[Pair], images: Mapping[str, bytes]
) -> dict[str, Any]:
    of_test = {pair.image for pair in pairs if embeddings.splits[pair.image] == "test"}
    return {
        "rule": {name: round(value, 4) for name, value in rule._asdict().items()} | {"quality": QUALITY},
        "pairs": len(pairs),
        "test_images": len(of_test),
        "shown": [
            {
                "cosine": round(pair.cosine, 4),
                "pixels": round(pair.pixels, 4),
                "images": [
                    {
                        "filename": str(embeddings.names[row]),
                        "label": str(embeddings.labels[row]),
                        "split": str(embeddings.splits[row]),
                        "picture": beside(pixels_of(images[str(embeddings.names[row])])),
                    }
                    for row in (pair.image, pair.other)
                ],
            }
            for pair in shown
        ],
    }


def pair_table(embeddings: Embeddings, pairs: Sequence[Pair]) -> pa.Table:
    """Return all pairs of near-duplicates, the most alike first: id, label, split of both, and how alike they are."""
    columns: dict[str, Any] = {}
    for which in ("image", "other"):
        rows = [getattr(pair, which) for pair in pairs]
        for key, values in (("", embeddings.names), ("_label", embeddings.labels), ("_split", embeddings.splits)):
            columns[f"{which}{key}"] = pa.array(values[rows].tolist() if rows else [], pa.string())
    for measure in ("cosine", "pixels"):
        columns[measure] = pa.array([round(getattr(pair, measure), 4) for pair in pairs], pa.float32())
    return pa.table(columns)
