"""What `group_regex` captures in the names of images: what it groups by, and whether it groups at all."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from components.tools.time_limit import OverTimeError, time_limit
from components.tools.wording import counted

# Seconds for all names: a million of them take one. An expression with repetitions in repetitions may take for ever.
_LONGEST = 20.0
# Of the names: with fewer, many images that belong together may be torn apart.
ENOUGH = 0.95


@dataclass(frozen=True)
class Captures:
    """In how many names something was captured.

    Attributes:
        on: "name" or "path": what was searched.
        names: how many were searched.
        captured: in how many of them something was captured.
        keys: how many different texts were captured.
        example: the first name in which nothing was; "" if there is none.
    """

    on: str
    names: int
    captured: int
    keys: int
    example: str

    @property
    def is_enough(self) -> bool:
        """Whether so few names are left out that it may be meant."""
        return self.captured >= ENOUGH * self.names

    def text(self, groups: int) -> str:
        """Return what came of it, in a sentence.

        Args:
            groups: how many groups came out, those of single images and of duplicates included.
        """
        what = "names" if self.on == "name" else "paths"
        came = f"{counted(self.keys, 'key')}, {counted(groups, 'group')} in all"
        text = f"captured in {self.captured:,} of {self.names:,} {what}: {came}"
        if self.is_enough:
            return text
        return f"{text}; nothing keeps the others together, such as {self.example}"


def captured_keys(names: Sequence[str], group_regex: str) -> list[str | None]:
    """Return the text that the expression's first group captures in each name; None where it captures nothing.

    Raises:
        ValueError: it is not a regular expression with a group, or searching takes too long.
    """
    pattern = _compile(group_regex)
    try:
        with time_limit(_LONGEST):
            found = [pattern.search(name) for name in names]
    except OverTimeError as error:
        raise ValueError(
            f"group_regex takes too long to search {len(names):,} names ({error}): repetitions in repetitions, such as "
            f"(a+)+, do that. Received: {group_regex}"
        ) from None
    return [match.group(1) if match else None for match in found]


def count_captures(keys: Sequence[str | None], names: Sequence[str], on: str, option: str, remedy: str) -> Captures:
    """Return how much was captured.

    Args:
        keys: of `captured_keys`, of the originals: augmented copies follow their sources, whatever they are called.
        names: what was searched.
        on: "name" or "path".
        option: the expression's option with its value, for the message.
        remedy: how to search the other one.

    Raises:
        ValueError: nothing was captured in any of them.
    """
    captured = [key for key in keys if key is not None]
    example = next((name for key, name in zip(keys, names, strict=True) if key is None), "")
    if names and not captured:
        other = f", or {remedy} if it is meant for the folders" if on == "name" else ""
        what = "file name" if on == "name" else "path"
        raise ValueError(
            f"{option} captures nothing in any {what} ({len(names):,} of them, such as {example}), so it keeps nothing "
            f"together: correct it{other}"
        )
    return Captures(on, len(names), len(captured), len(set(captured)), example)


def _compile(group_regex: str) -> "re.Pattern[str]":
    try:
        pattern = re.compile(group_regex)
    except re.error as error:
        raise ValueError(f"group_regex is not a regular expression ({error}). Received: {group_regex}") from None
    if pattern.groups < 1:
        raise ValueError(f"group_regex needs a group in parentheses that captures the key. Received: {group_regex}")
    return pattern
