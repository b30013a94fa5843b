"""Tables with a row for each class, and those rows of them that say most where the classes are many."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.formats.dataset import SPLITS

FEW = 12  # classes whose rows all stand on the page; of more, some do, and the rest is folded
_WEAKEST, _AT_EACH_END = 10, 5


def class_counts(counts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return images by class and split.

    Args:
        counts: by split and class, `originals` and `copies`.

    Returns:
        `rows`: a `label`, with the counts of each split; `telling`: the largest and the smallest of them where they are
        many, by originals; `totals` by split; `largest`: count of images, which the bars are measured by.
    """
    labels = sorted({label for by_label in counts.values() for label in by_label})
    none = {"originals": 0, "copies": 0}
    rows: list[dict[str, Any]] = [
        {"label": label, **{split: counts[split].get(label, none) for split in SPLITS}} for label in labels
    ]
    totals = {split: {kind: sum(row[split][kind] for row in rows) for kind in none} for split in SPLITS}
    largest = max((row[split]["originals"] + row[split]["copies"] for row in rows for split in SPLITS), default=1)
    by_size = sorted(rows, key=lambda row: -sum(row[split]["originals"] for split in SPLITS))
    telling = by_size[:_AT_EACH_END] + by_size[-_AT_EACH_END:] if len(rows) > FEW else []
    return {"rows": rows, "telling": telling, "totals": totals, "largest": largest or 1}


def weakest_classes(per_class: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the scores of the classes with the lowest F1, the lowest first; none where all can be shown."""
    if len(per_class) <= FEW:
        return []
    known = [row for row in per_class if row["f1"]["value"] is not None]
    return sorted(known, key=lambda row: row["f1"]["value"])[:_WEAKEST]
