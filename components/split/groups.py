"""Groups of images that must not be divided between splits: the unit of a leak-proof split."""

import re
from collections.abc import Iterable, Sequence


class _UnionFind:
    def __init__(self, size: int) -> None:
        self.parent = list(range(size))

    def find(self, node: int) -> int:
        while self.parent[node] != node:
            self.parent[node] = self.parent[self.parent[node]]
            node = self.parent[node]
        return node

    def join(self, first: int, second: int) -> None:
        self.parent[self.find(first)] = self.find(second)


def group_images(
    filenames: Sequence[str],
    pixels_sha256: Sequence[str],
    *,
    near: Iterable[tuple[int, int]] = (),
    group_regex: str | None = None,
    ties: Sequence[str | None] | None = None,
) -> list[str]:
    """Return the group of each image: images joined by any shared trait, directly or through others.

    Args:
        filenames: what `group_regex` is searched in.
        pixels_sha256: digests of the decoded pixels; equal ones are exact duplicates and always in one group.
        near: index pairs of near-duplicates to join as well.
        group_regex: images in whose names its first group captures the same text belong together.
        ties: what an image has in common with its copies, or they with each other; None joins nothing.

    Returns:
        A group id each: the smallest digest in the group, so that it doesn't depend on the order of the images.

    Raises:
        ValueError: `group_regex` is not a regular expression with a capture group.
    """
    sets = _UnionFind(len(filenames))
    seen: dict[tuple[str, str], int] = {}
    pattern = _compile(group_regex) if group_regex is not None else None

    def join_by(kind: str, key: str, index: int) -> None:
        sets.join(index, seen.setdefault((kind, key), index))

    for index, (name, digest) in enumerate(zip(filenames, pixels_sha256, strict=True)):
        join_by("pixels", digest, index)
        match = pattern.search(name) if pattern else None
        if match and match.group(1) is not None:
            join_by("name", match.group(1), index)
        if ties is not None and (tie := ties[index]) is not None:
            join_by("tie", tie, index)
    for first, second in near:
        sets.join(first, second)
    smallest: dict[int, str] = {}
    for index, digest in enumerate(pixels_sha256):
        root = sets.find(index)
        smallest[root] = min(smallest.get(root, digest), digest)
    return [smallest[sets.find(index)] for index in range(len(filenames))]


def _compile(group_regex: str) -> "re.Pattern[str]":
    try:
        pattern = re.compile(group_regex)
    except re.error as error:
        raise ValueError(f"group_regex is not a regular expression ({error}). Received: {group_regex}") from None
    if pattern.groups < 1:
        raise ValueError(f"group_regex needs a group in parentheses that captures the key. Received: {group_regex}")
    return pattern
