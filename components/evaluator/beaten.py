"""Is the new model better than one answer to everything, and than a linear model, on the same images? Pure.

Better is who has more images of test right: the accuracy as measured, as for the least accuracy that is asked for.
Where a baseline has all images right, as many are enough. Balanced accuracy decides nothing: that of a class with a
few test images is a matter of chance. But where a baseline's is higher, the run and the report say so.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluator.gain import Gain, paired_gain
from components.tools.proportions import LEVEL

Baseline = dict[str, Any]


def hold_against(
    measured: Mapping[str, Any],
    labels: Sequence[str],
    truth: NDArray[np.int64],
    candidate: NDArray[np.int64],
    linear: NDArray[np.int64],
    groups: NDArray[Any],
    copies: NDArray[np.bool_],
) -> list[Baseline]:
    """Return each simple baseline with what the new model gains over it.

    Args:
        measured: what SimpleBaselines found.
        labels: class names in the order of their ids.
        truth: [N], the images' classes.
        candidate: [N], what the new model says.
        linear: [N], what the linear model says.
        groups: [N], anything equal for images that aren't independent.
        copies: [N], whether an image is an augmented copy.

    Returns:
        By baseline `name`, `says` (part of a sentence), `metrics`, `beaten`, `short` (in accuracy, 0 if beaten) and
        `gain`, as `Gain.as_json` has it.
    """
    largest = measured["largest_class"]["label"]
    answers = {
        "largest_class": (f"always saying '{largest}'", np.full(len(truth), labels.index(largest))),
        "linear_model": ("a linear model on small HOG features", linear),
    }
    found: list[Baseline] = []
    for name, (says, said) in answers.items():
        gain = paired_gain(candidate == truth, said == truth, groups, copies, LEVEL)
        one = {"name": name, "says": says, "metrics": measured[name]["metrics"], "gain": gain.as_json()}
        found.append(one | {"beaten": _is_beaten(gain, int((said == truth).sum())), "short": max(0.0, -gain.value)})
    return found


def _is_beaten(gain: Gain, right: int) -> bool:
    return gain.only_candidate > gain.only_baseline or (gain.value == 0 and right == gain.images)


def not_beaten(baselines: Sequence[Baseline], accuracy: float | None) -> list[dict[str, Any]]:
    """Return each baseline that the new model doesn't beat, as `read_blessing` does.

    Args:
        baselines: of `hold_against`.
        accuracy: the new model's on test; one that isn't a number has failed already.
    """
    failures: list[dict[str, Any]] = []
    if accuracy is None:
        return failures
    for one in (baseline for baseline in baselines if not baseline["beaten"]):
        other, missing = (
            one["metrics"]["accuracy"]["value"],
            one["gain"]["only_baseline"] - one["gain"]["only_candidate"],
        )
        short = f"{one['short']:.3f} short, {missing + 1:,} more right images are required"
        if not missing:
            short = "one more right image is required"
        text = f"test accuracy is {accuracy:.3f}, {one['says']} gives {other:.3f}: {short}"
        failures.append({"metric": one["name"], "change": True, "value": accuracy, "bound": other, "text": text})
    return failures


def describe(baselines: Sequence[Baseline], balanced_accuracy: float | None) -> str:
    """Return a sentence or two on all baselines.

    Args:
        baselines: of `hold_against`.
        balanced_accuracy: the new model's.
    """
    said = []
    for one in baselines:
        accuracy = one["metrics"]["accuracy"]
        said.append(f"{one['says']} gives {accuracy['value']:.3f} ({accuracy['low']:.3f} – {accuracy['high']:.3f})")
    text = f"For comparison, in accuracy on test: {', '.join(said)}."
    for one in baselines:
        other = one["metrics"]["balanced_accuracy"]["value"]
        if balanced_accuracy is None or other <= balanced_accuracy:
            continue
        both = f"{one['says']} gives {other:.3f} and this model {balanced_accuracy:.3f}"
        if one["gain"]["value"] < 0:
            text += f" In balanced accuracy, too, {both}."
        else:
            text += f" But in balanced accuracy {both}: rare classes are where it fails."
    return text
