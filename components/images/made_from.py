"""The images that a model was made from, as a pushed model carries them in `assets.extra`: one digest a line.

Another run looks there for its own test images, on which such a model, and what is trained from its weights, is too
good.
"""

from collections.abc import Iterable
from pathlib import Path

MADE_FROM = "made_from.txt"
_DIGITS = 16  # hex, of SHA-256


def write(digests: Iterable[str], path: Path) -> None:
    """Write the SHA-256 digests (hex) of the source files; order and repetitions don't matter."""
    path.write_text("".join(f"{digest}\n" for digest in sorted({digest[:_DIGITS] for digest in digests})), "ascii")


def read(path: Path) -> frozenset[str] | None:
    """Return what `write` wrote, for `has_seen`; None where there is no such file."""
    try:
        return frozenset(path.read_text("ascii").split())
    except FileNotFoundError:
        return None


def has_seen(made_from: frozenset[str], digest: str) -> bool:
    """Whether the image with that SHA-256 digest is one of them."""
    return digest[:_DIGITS] in made_from
