"""What cross-fitting adds to the analysis, where there is any."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.formats.folds import CROSS_FIT, ENSEMBLE
from components.scoring.predictions import Predictions, read_split

_FITTED = ("train", "eval")


def read_held_out(uris: Mapping[str, Path], labels: Sequence[str]) -> dict[str, Predictions]:
    """Return what models say of train and eval that haven't seen the images; nothing without cross-fitting.

    Args:
        uris: folders of the artifacts, by input.
        labels: class names in the order of their ids.
    """
    if "cross_fit" not in uris:
        return {}
    return {split: read_split(uris["dataset"], split, labels, uris["cross_fit"], originals=True) for split in _FITTED}


def read_cross_fit(uris: Mapping[str, Path]) -> dict[str, Any] | None:
    """Return scores by fold, their mean and spread; None without cross-fitting."""
    return CROSS_FIT.read(uris["cross_fit"]) if "cross_fit" in uris else None


def of_ensemble(folder: Path) -> dict[str, Any]:
    """Return what of `training.json` is otherwise of an averaged model, whose members have a temperature each."""
    found = ENSEMBLE.read(folder)
    return {"members": found["members"], "parameters": found["parameters"], "temperature": None}
