"""The slices by a table's columns, as the report lists them."""

from collections.abc import Mapping
from typing import Any

_AT_ONCE = 12  # rows that aren't folded


def shown_slices(results: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what the template shows; None where no table says anything of the images.

    Args:
        results: of the Evaluator; an earlier version's know no slices.

    Returns:
        `text`, `rows` in the Evaluator's order and those that are `folded` away, `judged`, `least_images`,
        `least_accuracy`, `left_out`, `beyond`.
    """
    slices = results.get("slices")
    if not slices:
        return None
    rows = slices["rows"]
    names = ("text", "judged", "least_images", "least_accuracy", "left_out")
    beyond = {"beyond": slices.get("beyond", "")}
    return {name: slices[name] for name in names} | beyond | {"rows": rows[:_AT_ONCE], "folded": rows[_AT_ONCE:]}
