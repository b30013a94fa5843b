"""What the report says of a model's files for other runtimes."""

from pathlib import Path
from typing import Any

from components.formats.exports import EXPORTS, why_not


def exports_of(folder: Path | None, pushed: bool) -> dict[str, Any] | None:
    """Return what the template shows; None where there is only a SavedModel.

    Args:
        folder: of ModelExport's artifact.
        pushed: whether the model was pushed.
    """
    if folder is None:
        return None
    found = EXPORTS.read(folder)
    reference = {"format": "saved_model", "file": "saved_model.pb", **found["saved_model"]}
    rows = [{**row, "state": _state(row["agrees"], pushed)} for row in found["files"]]
    return {
        "images": found["images"],
        "with_thresholds": any(row["accepted_agreement"] is not None for row in rows),
        "rows": [reference | {"state": "pushed" if pushed else "not pushed"}, *rows],
        "why_not": why_not(found),
    }


def _state(agrees: bool, pushed: bool) -> str:
    if not agrees:
        return "agrees too little: not pushed"
    return "pushed" if pushed else "not pushed"
