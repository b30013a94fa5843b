"""A comparison as plain values, for programs and for the page. Pure."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from pipeline.drift.compare import Comparison
from pipeline.drift.figures import CLASSES
from pipeline.drift.options import DriftOptions
from pipeline.drift.words import TITLES, headline, reasons, sentence

_UNLIKE = 24  # images


class Counts(NamedTuple):
    """Of how many images a comparison is.

    Attributes:
        test: originals of the test split.
        test_drawn: those of the reference.
        served: images that there were.
        served_drawn: those that were looked at.
        unusable: files that are no images.
    """

    test: int
    test_drawn: int
    served: int
    served_drawn: int
    unusable: int


def as_values(
    comparison: Comparison, counts: Counts, labels: Sequence[str], options: DriftOptions, remarks: Sequence[str]
) -> dict[str, Any]:
    """Return `verdict`, `headline`, `reasons`, `figures`, `left_out`, `images`, `groups`, `unlike`, `options`."""
    figures = [
        {
            "name": one.name,
            "title": TITLES[one.name],
            "shift": one.shift.share,
            "p_value": one.adjusted,
            "p_value_alone": one.p_value,
            "drifted": one.drifted,
            "text": sentence(one, labels),
            "moved_most": {
                **asdict(one.shift),
                "of": labels[int(one.shift.of)] if one.name == CLASSES else one.shift.of,
            },
        }
        for one in comparison.figures
    ]
    test, served = comparison.groups
    return {
        "verdict": comparison.verdict,
        "headline": headline(comparison),
        "reasons": reasons(comparison, labels),
        "figures": figures,
        "left_out": comparison.left_out,
        "images": counts._asdict(),
        "groups": {"test": test, "served": served},
        "remarks": list(remarks),
        "unlike": comparison.unlike[:_UNLIKE],
        "options": asdict(options),
    }
