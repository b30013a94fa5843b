"""Where a model is weak: the accuracy of each slice, the worst one, and whether it keeps the model back. Pure.

The worst of many slices looks worse than it is: among equally good ones, one has to come last. So beside its own 95 %
interval it has one that holds for all judged slices at once (Bonferroni: each at a level of 1 - 0.05 / their number),
and by that the worst is called worse than chance explains. Small slices aren't judged at all; which are small doesn't
depend on the answers, or slices whose people are all wrong at once would escape.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluator.options import EvaluateOptions
from components.evaluator.slice_plan import MOST_SLICES, SlicePlan
from components.tools.proportions import LEVEL, Proportion, design_effect
from components.tools.wording import counted

_ROUNDING = 1e-6  # TFMA's accuracy is a float32
_NAMED = 3

Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Evidence:
    """How much the images of a slice say.

    Attributes:
        originals: images that aren't augmented copies.
        design_effect: how many images say as much as one that is independent of the others.
    """

    originals: int
    design_effect: float


def evidence_of(
    plan: SlicePlan,
    texts: Sequence[Sequence[str]],
    right: NDArray[np.bool_],
    groups: NDArray[Any],
    copies: NDArray[np.bool_],
) -> dict[Key, Evidence]:
    """Return how much the images of each slice say.

    Args:
        plan: the slices.
        texts: [N] the names of an image's slices, by column of the plan.
        right: [N] whether the model is right.
        groups: [N] anything equal for images that aren't independent.
        copies: [N] whether an image is an augmented copy.
    """
    place = {column.name: index for index, column in enumerate(plan.columns)}
    found: dict[Key, Evidence] = {}
    for slicing in plan.slicings:
        members: dict[Key, list[int]] = {}
        for index, row in enumerate(texts):
            members.setdefault(tuple((name, row[place[name]]) for name in slicing), []).append(index)
        for key, indices in members.items():
            effect = design_effect(right[indices].astype(float), groups[indices], copies[indices])
            found[key] = Evidence(int((~copies[indices]).sum()), effect)
    return found


def judge_slices(
    measured: Mapping[Key, tuple[int, float]],
    evidence: Mapping[Key, Evidence],
    plan: SlicePlan,
    options: EvaluateOptions,
    overall: float,
) -> dict[str, Any]:
    """Return what there is to say of the slices.

    Args:
        measured: number of images and accuracy of each slice.
        evidence: `evidence_of` the same.
        plan: that they follow.
        options: what a slice must reach, and which are judged.
        overall: accuracy on all test images.

    Returns:
        `rows`, the judged slices first, the worst first: `slice` (its name), `columns`, `values`, `examples`,
        `accuracy`, `low`, `high`, `effective`, `design_effect`, `judged` and `missed` (whether it falls short of the
        least accuracy) of each. `judged`, how many are;
        `worst`, the first row with `joint_low` and `joint_high`, or None; `least_accuracy`, `least_images`; `left_out`,
        the `column`s that aren't sliced with the `reason`; `beyond`, what there is to say of those that there is no
        room for; and a `text` that names the worst.
    """
    rows: list[dict[str, Any]] = []
    for key, (images, accuracy) in measured.items():
        is_judged = evidence[key].originals >= options.min_slice_images
        share = Proportion(accuracy, images, evidence[key].design_effect)
        low, high = share.interval()
        rows.append(
            {
                "slice": " and ".join(f"{name} = {value}" for name, value in key),
                "columns": [name for name, _ in key],
                "values": [value for _, value in key],
                "examples": images,
                "accuracy": accuracy,
                "low": low,
                "high": high,
                "effective": share.effective,
                "design_effect": share.design_effect,
                "judged": is_judged,
                "missed": is_judged and _misses(accuracy, options.min_slice_accuracy),
            }
        )
    rows.sort(key=lambda row: (not row["judged"], row["accuracy"], -row["examples"], row["slice"]))
    judged = sum(row["judged"] for row in rows)
    worst = None
    if judged:
        share = Proportion(rows[0]["accuracy"], rows[0]["examples"], rows[0]["design_effect"])
        low, high = share.interval(1 - (1 - LEVEL) / judged)
        worst = {**rows[0], "joint_low": low, "joint_high": high}
    return {
        "rows": rows,
        "judged": judged,
        "worst": worst,
        "least_accuracy": options.min_slice_accuracy,
        "least_images": options.min_slice_images,
        "left_out": [{"column": name, "reason": reason} for name, reason in plan.left_out],
        "beyond": _beyond(plan),
        "text": _describe(rows, judged, worst, options.min_slice_images, overall),
    }


def too_weak(slices: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what is wrong with slices of which one misses its accuracy, as `read_blessing` does."""
    least, worst = slices["least_accuracy"], slices["worst"]
    if worst is None or not worst["missed"]:
        return []
    text = (
        f"test accuracy on the slice {worst['slice']} is {worst['accuracy']:.3f} "
        f"({_evidence(worst, slices['judged'])}), at least {least:.3f} is required of each slice"
    )
    if worst["joint_high"] >= least:
        text += "; chance may explain it: more test images of that slice would tell"
    others = [row for row in slices["rows"] if row["missed"]][1:]
    if others:
        named = ", ".join(f"{row['slice']} ({row['accuracy']:.3f})" for row in others[:_NAMED])
        more = f", … ({len(others)})" if len(others) > _NAMED else ""
        text += f"; below that, too: {named}{more}"
    return [{"metric": "slice", "change": False, "value": worst["accuracy"], "bound": least, "text": text}]


def _misses(accuracy: float, least: float | None) -> bool:
    return least is not None and accuracy < least - _ROUNDING


def _beyond(plan: SlicePlan) -> str:
    if not plan.beyond:
        return ""
    what = counted(plan.beyond, "column of data.metadata_csv isn't", "columns of data.metadata_csv aren't")
    return f"{what} sliced by: {MOST_SLICES} slices are the most. evaluate.slice_on says which columns matter."


def _describe(
    rows: Sequence[Mapping[str, Any]], judged: int, worst: Mapping[str, Any] | None, least: int, overall: float
) -> str:
    if not rows:
        return "There are no slices to judge: no column of data.metadata_csv divides the test images."
    if worst is None:
        largest = max(rows, key=lambda row: (row["examples"], row["slice"]))
        return (
            f"No slice is judged: none of {len(rows)} has {least} test images (evaluate.min_slice_images). "
            f"The largest, {largest['slice']}, has {_images(largest)}."
        )
    count = f"{judged} judged" if judged > 1 else "the only one judged"
    sentence = (
        f"The worst slice{f' of {count}' if judged > 1 else f', {count},'} is {worst['slice']}: accuracy "
        f"{worst['accuracy']:.3f} ({_evidence(worst, judged)}), against {overall:.3f} on all test images."
    )
    if worst["joint_high"] < overall:
        return f"{sentence} That is more than chance explains."
    if judged > 1:
        return f"{sentence} Chance may explain it: of {judged} equally good slices, one has to come last."
    return f"{sentence} Chance may explain it."


def _evidence(worst: Mapping[str, Any], judged: int) -> str:
    for_all = f" for all {judged} judged slices at once" if judged > 1 else ""
    return f"{_images(worst)}; 95 %{for_all}: {worst['joint_low']:.3f} – {worst['joint_high']:.3f}"


def _images(row: Mapping[str, Any]) -> str:
    text = counted(row["examples"], "image")
    if row["design_effect"] > 1:
        text += f", worth {row['effective']:.0f} independent ones"
    return text
