"""What the model takes for what: the confusion matrix, and its largest cells off the diagonal."""

from collections.abc import Mapping, Sequence
from typing import Any

WHOLE_MATRIX = 100  # classes: a larger matrix can neither be read nor sent
_PAIRS = 64


def confusions(
    counts: Sequence[Sequence[int]], labels: Sequence[str], pictured: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the matrix and the most confused pairs.

    Args:
        counts: images by true class, then by predicted class.
        labels: class names in the same order.
        pictured: `true` and `predicted`, places in `labels`, with `images`, names of some images.

    Returns:
        `matrix`: rows of `label`, `total`, `columns`; empty where the classes are too many. `pairs`: `row` and `column`
        (places in `labels`), `true`, `predicted`, `count`, `share` of the true class' images, `images`; the largest
        first. `pairs_in_all`: how many there are, shown or not.
    """
    images = {(one["true"], one["predicted"]): one["images"] for one in pictured}
    totals = [sum(row) for row in counts]
    pairs = [
        {
            "row": row,
            "column": column,
            "true": labels[row],
            "predicted": labels[column],
            "count": count,
            "share": count / totals[row],
            "images": images.get((row, column), []),
        }
        for row, line in enumerate(counts)
        for column, count in enumerate(line)
        if count and row != column
    ]
    pairs.sort(key=lambda pair: (-pair["count"], -pair["share"], pair["row"], pair["column"]))
    matrix = [
        {
            "label": label,
            "total": total,
            "columns": [
                {"count": count, "share": count / total if total else 0.0, "pictured": (row, column) in images}
                for column, count in enumerate(line)
            ],
        }
        for row, (label, line, total) in enumerate(zip(labels, counts, totals, strict=True))
    ]
    return {
        "matrix": matrix if len(labels) <= WHOLE_MATRIX else [],
        "pairs": pairs[:_PAIRS],
        "pairs_in_all": len(pairs),
    }
