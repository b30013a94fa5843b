"""What the report says of cross-fitting."""

from collections.abc import Mapping
from typing import Any


def gather_cross_fit(analysis: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scores by fold, and what the model is the average of.

    Args:
        analysis: content of `analysis.json`; earlier programs', and runs without folds, have no `cross_fit`.
    """
    found = analysis.get("cross_fit")
    return {
        "cross_fit": found,
        "ensemble": analysis.get("ensemble"),
    }
