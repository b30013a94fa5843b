"""What the report says of the simple baselines."""

from collections.abc import Mapping
from typing import Any


def baselines_of(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return `baselines`, each with a `title`, and `about_baselines`; empty where an older Evaluator has none."""
    found = results.get("baselines", [])
    return {
        "baselines": [{**one, "title": one["says"][:1].upper() + one["says"][1:]} for one in found],
        "about_baselines": results.get("about_baselines", ""),
    }
