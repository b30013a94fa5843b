"""What a model delivers on test of what its Trainer promised of its answers on eval. Pure.

The promise is what `components.training.answers` leaves in `training.json`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.analysis.risk_coverage import curve, risk_coverage
from components.scoring.predictions import Predictions
from components.tools.proportions import proportion

Score = dict[str, Any]

_NAMED = 3
_REMEDY = (
    "Ask for less (evaluate.target_precision), give eval more images (split.eval), or train on more and better data."
)


def check_answers(test: Predictions, labels: Sequence[str], promised: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return risk against coverage, and what is answered and how much of that is right.

    Args:
        test: predictions of the test split.
        labels: class names in the order of their ids.
        promised: `answers` of `training.json`; None where the model always answers.

    Returns:
        `area`, `excess` and `curve` of the risk; `promised`, and None or else `answered` and `precision`, each
        {"value", "low", "high"}; `per_class`, a list of the same with `label`, `threshold` and `images`, the number of
        those that are said to be of the class; `text`, a few sentences; `short`, whether a person must do something.
    """
    scores = test.probabilities.max(axis=1) if len(test) else np.zeros(0)
    predicted = test.predicted if len(test) else np.zeros(0, int)
    right = predicted == test.labels
    found = risk_coverage(scores, ~right)
    values: dict[str, Any] = {"area": found.area, "excess": found.excess, "promised": promised}
    if promised is None:
        return (
            values
            | {"curve": curve(found, None), "answered": None, "precision": None, "per_class": []}
            | {
                "text": "",
                "short": False,
            }
        )
    # Served scores are float32, and so are thresholds.
    thresholds = np.array([np.inf if one is None else one for one in promised["thresholds"]])
    accepted = scores >= thresholds[predicted]

    def share(what: NDArray[np.bool_], among: NDArray[np.bool_]) -> Score:
        one = proportion(what[among], test.groups[among], test.augmented[among])
        low, high = one.interval() if one.images else (None, None)
        return {"value": one.value if one.images else None, "low": low, "high": high}

    everything = np.ones(len(test), bool)
    values["curve"] = curve(found, int(accepted.sum()))
    values["answered"], values["precision"] = share(accepted, everything), share(right, accepted)
    values["per_class"] = [
        {
            "label": label,
            "threshold": promised["thresholds"][index],
            "images": int((predicted == index).sum()),
            "answered": share(accepted, predicted == index),
            "precision": share(right, accepted & (predicted == index)),
        }
        for index, label in enumerate(labels)
    ]
    return values | _described(values, promised)


def _described(values: Mapping[str, Any], promised: Mapping[str, Any]) -> dict[str, Any]:
    target, silent = promised["precision"], [one for one in promised["found"] if one["score"] is None]
    whose = "each class's answers" if promised["per_class"] else "its answers"
    confidence = f"{100 * promised['confidence']:g} % confidence"
    if len(silent) == len(promised["found"]):
        text = (
            f"The model answers nothing: that {100 * target:g} % of {whose} are right can't be shown with {confidence}."
        )
        return {"text": f"{text} On eval {_first(map(_why, silent))}. {_REMEDY}", "short": True}
    answered, precision = values["answered"], values["precision"]
    text = f"The model answers {_percent(answered)} of the test images and is not sure enough for the others."
    if precision["value"] is not None:
        text += f" {_percent(precision)} of its answers are right; "
        text += f"promised are {100 * target:g} % of {whose}, with {confidence}."
    rows = values["per_class"] if promised["per_class"] else [{"label": None, "precision": precision}]
    missed = [row for row in rows if row["precision"]["high"] is not None and row["precision"]["high"] < target]
    below = [row for row in rows if row["precision"]["high"] is not None and row["precision"]["value"] < target]
    if missed:
        text += (
            f" That is less than promised{_of(missed)}, beyond chance: test differs from eval. Look for images that "
            "belong together (split.group_regex), or give eval more of them (split.eval)."
        )
    elif below:
        text += f" That is less than promised{_of(below)}, but it may be chance."
    if silent:
        named = _first(f"{one['label']} (on eval {one['reason']})" for one in silent)
        text += f" It never answers {named}. {_REMEDY}"
    return {"text": text, "short": bool(missed or silent)}


def _why(one: Mapping[str, Any]) -> str:
    return str(one["reason"]) if one["label"] is None else f"{one['label']}: {one['reason']}"


def _first(reasons: Iterable[str]) -> str:
    """Return the first few, and how many there are if these aren't all."""
    every = list(reasons)
    return "; ".join(every[:_NAMED]) + (f"; … ({len(every)} classes)" if len(every) > _NAMED else "")


def _of(rows: Sequence[Mapping[str, Any]]) -> str:
    return "" if rows[0]["label"] is None else f" for {_names(rows)}"


def _names(rows: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(str(row["label"]) for row in rows)


def _percent(score: Score) -> str:
    if score["low"] is None:
        return "0 %"
    return f"{100 * score['value']:.1f} % ({100 * score['low']:.1f} – {100 * score['high']:.1f})"
