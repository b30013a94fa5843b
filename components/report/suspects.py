"""What the report says of suspicious labels: the list, how many of it are expected to be wrong, and of which images."""

from collections.abc import Mapping
from typing import Any

from components.formats.suspects import in_words, judged

_OPEN = 12  # pictures that aren't folded


def gather_suspects(analysis: Mapping[str, Any], pictures: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the template shows.

    Args:
        analysis: of PredictionAnalysis.
        pictures: of the same; has as many of the suspects as are shown.

    Returns:
        `first`: rows that are seen; `folded`: the others; `all`: how many there are; `worth` and `of`, in words.
    """
    rows = analysis["suspects"][: pictures["suspects"]]
    return {
        "first": rows[:_OPEN],
        "folded": rows[_OPEN:],
        "all": len(analysis["suspects"]),
        "worth": in_words(analysis, len(rows)),
        "of": judged(analysis),
    }
