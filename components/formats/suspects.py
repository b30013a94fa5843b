"""What a list of suspicious labels is worth, in numbers and words: the same in report, card and commands. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

_FIRST = 50
# Below this accuracy a model's confident mistakes pass for wrong labels, too: of those expected as few as a third were
# wrong where some were planted (docs/results.md).
_STRONG, _FEWEST = 0.75, 1 / 3


def expected_wrong(rows: Sequence[Mapping[str, Any]]) -> int:
    """Return how many labels of a list are expected to be wrong, by the model's estimate.

    Args:
        rows: with `score`, the chance that the given label is right.
    """
    return round(sum(1 - row["score"] for row in rows))


def shown_rows(findings: Mapping[str, Any], first: int | None = None) -> list[dict[str, Any]]:
    """Return the beginning of the list in an analysis: as many as asked for, or else as its run was to show."""
    about = findings.get("about_suspects")  # which earlier versions don't have: they list all
    count = about["shown"] if first is None and about else first
    return list(findings["suspects"][:count])


def has_chances(findings: Mapping[str, Any]) -> bool:
    """Return whether a suspect's `score` is a chance, as it wasn't in analyses of earlier versions."""
    return bool(findings.get("about_suspects"))


def judged(findings: Mapping[str, Any]) -> str:
    """Return what was looked at, such as "758 images of eval and test"; "" for an analysis that doesn't say."""
    about = findings.get("about_suspects")
    if not about:
        return ""
    *others, last = about["splits"]
    return f"{about['images']:,} images of {', '.join(others)}{' and ' if others else ''}{last}"


def in_words(findings: Mapping[str, Any], count: int) -> str:
    """Return what the first `count` of the list are expected to hold; "" for an analysis that doesn't say."""
    about, rows = findings.get("about_suspects"), findings["suspects"][:count]
    if not about or not rows:
        return ""
    weak = about["accuracy"] < _STRONG

    def roughly(some: Sequence[Mapping[str, Any]]) -> str:
        most = expected_wrong(some)
        return f"{round(_FEWEST * most)} to {most}" if weak else f"about {most}"

    text = f"Of the first {_FIRST}, {roughly(rows[:_FIRST])}, and of these" if len(rows) > _FIRST else "Of these"
    text += f" {len(rows)}, {roughly(rows)} are expected to be wrong"
    if weak:
        text += f"; it can't be said better, since the model itself is right on {100 * about['accuracy']:.0f} % only"
    return f"{text}."
