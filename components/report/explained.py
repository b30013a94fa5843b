"""What the report says of a model's explanation: plain values, the map and sentences."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.formats.documents import EXPLANATION
from components.report.map_chart import map_chart
from components.tools.wording import counted


def explained(folder: Path | None, labels: Sequence[str]) -> dict[str, Any] | None:
    """Return what the template shows; None where explanations are switched off.

    Args:
        folder: of the artifact.
        labels: class names in the order of their ids.
    """
    if folder is None:
        return None
    found = EXPLANATION.read(folder)
    return found | {
        "chart": map_chart(_title(found["map"]), found["map"], labels),
        "leak": leak(found["near_duplicates"]),
        "rule": _rule(found["near_duplicates"]["rule"]),
    }


def _title(found: dict[str, Any]) -> str:
    shown, images = len(found["x"]), found["images"]
    mistakes = sum(true != predicted for true, predicted in zip(found["true"], found["predicted"], strict=True))
    if found["method"] == "umap":
        how = "UMAP of the features, on cosines: near is alike, while distances between heaps mean little"
    else:
        how = f"PCA of the features, whose two axes have {100 * (found['explained'] or 0):.0f} % of the variance"
    text = f"{images:,} test images" if shown == images else f"{shown:,} of {images:,} test images, drawn by name"
    return f"{text}, {mistakes:,} of {found['mistakes']:,} mistakes crossed out in the colour of their class. {how}."


def leak(found: dict[str, Any]) -> str:
    """Return a sentence on test images of which another split has a version; "" where there is none."""
    count = found["test_images"]
    if not count:
        return ""
    images = counted(count, "test image looks", "test images look")
    return (
        f"A possible leak: {images} like a version of an image of train or eval, in another group, so the scores may "
        "be too good. Look at the near-duplicates across splits; data.near_duplicates=group or split.group_regex ties "
        "such images together."
    )


def _rule(rule: dict[str, Any]) -> str:
    if not rule["versions"]:
        return "There was no image of eval or test to compare."
    return (
        f"Of {rule['versions']:,} images of eval and test, versions were made: 4 % cropped from each side, JPEG of "
        f"quality {rule['quality']}. A pair counts where its features' cosine is at least {rule['cosine']:.4f}, as "
        "that of 19 of 20 versions with their originals, and the pictures correlate by "
        f"{rule['pixels']:.2f} or more, as 9 of 10 do (0.90 at least); {100 * rule['found']:.0f} % of the versions "
        "meet both. Images of one group don't count."
    )
