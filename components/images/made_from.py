"""The images that a model was made from, as the model carries them: one digest a line in `assets.extra/made_from.txt`.

Another run looks there for its own test images: on them such a model, and what is trained from its weights, is too
good.
"""

from collections.abc import Collection, Iterable
from pathlib import Path

_FILE = Path("assets.extra") / "made_from.txt"
_DIGITS = 16  # hex, of SHA-256


def write(digests: Iterable[str], model: Path) -> None:
    """Write the SHA-256 digests (hex) of source files into a model's folder; order and repetitions don't matter."""
    lines = sorted({digest[:_DIGITS] for digest in digests})
    (model / _FILE).write_text("".join(f"{line}\n" for line in lines), "ascii")


def read(model: Path) -> frozenset[str] | None:
    """Return the beginnings of the digests, for `seen_groups`; None where the model doesn't say."""
    try:
        return frozenset((model / _FILE).read_text("ascii").split())
    except FileNotFoundError:
        return None


def seen_groups(known: Collection[str], images: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the groups of which a model has seen an image, and so, as good as, all.

    Args:
        known: what the model was made from, as `read` returns it.
        images: digest and group of each image.
    """
    return frozenset(group for digest, group in images if digest[:_DIGITS] in known)


def without(known: Iterable[str], digests: Iterable[str]) -> frozenset[str]:
    """Return what a model was made from beside these images."""
    return frozenset(known) - {digest[:_DIGITS] for digest in digests}
