"""Options written as words of a command line."""

from collections.abc import Sequence
from itertools import pairwise


def values_of(name: str, options: Sequence[str]) -> list[str]:
    """Return each value of an option, written as `--name=value` or as two words, in their order."""
    return [
        following if word == f"--{name}" else word.partition("=")[2]
        for word, following in pairwise([*options, ""])
        if word == f"--{name}" or word.startswith(f"--{name}=")
    ]
