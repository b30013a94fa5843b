"""What a new model and a pushed one are compared on: test images that are new to both.

Once the data or the split has changed, images that the pushed model was trained on may be in test. There it looks
better than it is, and no new model could beat it. The same holds for a new model that began with another's weights.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from components.formats.saved_model import seen_groups

FEATURE = "image/new_to_both"
# The names of the two models in TFMA's configuration and results.
CANDIDATE, BASELINE = "candidate", "baseline"


@dataclass(frozen=True)
class Comparison:
    """What two models are compared on.

    Attributes:
        on: "all" test images, all of them new; the "new" ones; or all though they are not, because none is new
            ("seen"), or because the pushed model doesn't say what it was made from ("unknown").
        images: number of test images that the comparison is made on.
        test_images: number of all test images.
        seen: the groups in test that are not new.
        by_pushed: whether the pushed model has seen all of `seen`.
    """

    on: Literal["all", "new", "seen", "unknown"]
    images: int
    test_images: int
    seen: frozenset[str]
    by_pushed: bool

    @property
    def is_fair(self) -> bool:
        """Whether both models meet the images for the first time."""
        return self.on in ("all", "new")

    @property
    def where(self) -> str:
        """Where the models are compared, if not on the whole test split: part of a sentence."""
        if self.on != "new":
            return ""
        which = "the pushed model" if self.by_pushed else "one of the models"
        counts = f"{self.images:,} of {self.test_images:,}"
        return f" on the {counts} test images that are new to both ({which} was made from the others)"

    def describe(self, version: str, candidate: float | None, baseline: float | None) -> str:
        """Return a sentence on the comparison with that version, from both accuracies on the images compared on."""
        where = self.where or " on the same test images"
        scores = f"accuracy {_score(candidate)} against {_score(baseline)}"
        sentence = f"Compared with version {version}{where}: {scores}."
        if self.on == "seen":
            sentence += " None of them is new to both models, so this says little."
        elif self.on == "unknown":
            sentence += (
                " That version doesn't say what it was made from: if some of them are among it, it looks too good."
            )
        return sentence


def decide(
    pushed: Collection[str] | None,
    new: Collection[str] | None,
    images: Sequence[tuple[str, str]],
    test_groups: Sequence[str],
) -> Comparison:
    """Decide what the two models are compared on.

    Args:
        pushed: what the pushed model was made from; None if it doesn't say.
        new: what the new one was made from; None if its weights didn't say.
        images: digest and group of every image of this run, in all splits.
        test_groups: the group of each test image.
    """
    test_images = len(test_groups)
    if pushed is None:
        return Comparison("unknown", test_images, test_images, frozenset(), by_pushed=False)
    seen = seen_groups({*pushed, *(new or ())}, images).intersection(test_groups)
    by_pushed = seen <= seen_groups(pushed, images)
    count = sum(group not in seen for group in test_groups)
    if count == test_images:
        return Comparison("all", count, test_images, seen, by_pushed)
    if count:
        return Comparison("new", count, test_images, seen, by_pushed)
    return Comparison("seen", test_images, test_images, seen, by_pushed)


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
