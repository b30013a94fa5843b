"""What a model card says of slices, from what the Evaluator found. Pure."""

from collections.abc import Mapping
from typing import Any

_LISTED = 20
_KEPT = ("slice", "examples", "accuracy", "low", "high")


def judged_slices(results: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the `text` on the worst slice and the `rows` of those that were judged, the worst first.

    Args:
        results: of the Evaluator.

    Returns:
        None where no table says anything of the images.
    """
    slices = results.get("slices")
    if not slices:
        return None
    rows = [{name: row[name] for name in _KEPT} for row in slices["rows"] if row["judged"]]
    return {"text": slices["text"], "judged": slices["judged"], "rows": rows[:_LISTED]}
