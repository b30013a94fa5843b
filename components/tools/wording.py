"""Counts and lists of names in sentences."""

from collections.abc import Sequence

_SHOWN = 10


def counted(number: float, noun: str, plural: str = "") -> str:
    """Return `1 image`, `2 images`, `1,000 images`.

    Args:
        number: a whole number; on Kubeflow each arrives as a float.
        noun: for one.
        plural: for any other number, if not the noun with an s.
    """
    return f"{int(number):,} {noun if number == 1 else plural or f'{noun}s'}"


def named(names: Sequence[str], shown: int = _SHOWN) -> str:
    """Return the names with commas between; of more than `shown` the first, and how many more there are."""
    listed = ", ".join(names[:shown])
    return listed if len(names) <= shown else f"{listed} and {len(names) - shown:,} more"
