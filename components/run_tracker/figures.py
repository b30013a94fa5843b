"""What a tracker is told of a model beside its training: scores with intervals, the verdict, where it is. Pure."""

from collections.abc import Mapping
from typing import Any

from components.formats.scores import named_scores


def figures(analysis: Mapping[str, Any], results: Mapping[str, Any]) -> dict[str, float]:
    """Return figures by name, as `test/accuracy`, `test/accuracy_low`, `gain`.

    Args:
        analysis: `analysis.json`.
        results: `results.json`.
    """
    found = named_scores({split: analysis[split]["metrics"] for split in ("test", "eval")})
    gain = (results["comparison"] or {}).get("gain") or {}
    named = {"gain": gain.get("value"), "gain_low": gain.get("low"), "gain_high": gain.get("high")}
    return found | {name: float(value) for name, value in named.items() if value is not None}


def verdict(results: Mapping[str, Any], pushed: Mapping[str, str]) -> dict[str, str]:
    """Return what is no number, by name.

    Args:
        results: `results.json`.
        pushed: `pushed_model`, `pushed_version` and `pushed_digest` of a model that was pushed; else empty.
    """
    reasons = "; ".join(failure["text"] for failure in results["failures"])
    return {"blessed": "no" if reasons else "yes", **({"why_not_blessed": reasons} if reasons else {}), **pushed}
