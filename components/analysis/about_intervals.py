"""What a reader must know of the intervals beside scores."""

from typing import Any


def about_intervals(metrics: dict[str, Any]) -> str:
    """Return a sentence or two on the intervals of one split's scores, as `with_intervals` returns them."""
    accuracy = metrics.get("accuracy", {})
    effect = accuracy.get("design_effect")
    if effect is None:
        return "95 % intervals."
    text = "95 % intervals: Wilson's, for averages over classes on the number of images whose share would vary as much."
    if effect == 1.0:
        return text
    return (
        f"{text} Images of one group aren't independent: for accuracy all of them say as much as "
        f"{accuracy['effective']:,.0f} that are (design effect {effect:.2f})."
    )
