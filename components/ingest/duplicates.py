"""Images that are equal, or nearly, as rows of a table. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from components.formats.dataset import ImageRow


def find_duplicates(rows: Sequence[ImageRow], near: Iterable[tuple[int, int]]) -> list[dict[str, str]]:
    """Return one line an image that has a duplicate: kind is "exact", "conflict" (exact, other label) or "near"."""
    found = []
    by_pixels = sorted(rows, key=lambda row: (row.pixels, row.id))
    for digest, members in groupby(by_pixels, key=lambda row: row.pixels):
        same = list(members)
        if len(same) > 1:
            kind = "exact" if len({row.label for row in same}) == 1 else "conflict"
            found += [_duplicate(kind, digest[:16], row) for row in same]
    pairs = [(rows[i], rows[j]) for i, j in near if rows[i].pixels != rows[j].pixels]
    for number, pair in enumerate(sorted(pairs, key=lambda pair: sorted(row.id for row in pair))):
        found += [_duplicate("near", f"pair-{number}", row) for row in sorted(pair, key=lambda row: row.id)]
    return found


def _duplicate(kind: str, key: str, row: ImageRow) -> dict[str, str]:
    return {"kind": kind, "key": key, "id": row.id, "label": row.label, "split": row.split}


def count_duplicates(duplicates: list[dict[str, str]]) -> dict[str, int]:
    """Return how many images have a duplicate of each kind."""
    counts = Counter(item["kind"] for item in duplicates)
    return {kind: counts[kind] for kind in ("exact", "conflict", "near")}
