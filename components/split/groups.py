"""Groups of images that must not be divided between splits: the unit of a leak-proof split."""

from collections.abc import Collection, Iterable, Sequence


class UnionFind:
    """Sets of the numbers below a size, which are joined two by two."""

    def __init__(self, size: int) -> None:
        """Begin with each number in a set of its own."""
        self.parent = list(range(size))

    def find(self, node: int) -> int:
        """Return the number that stands for a number's set."""
        while self.parent[node] != node:
            self.parent[node] = self.parent[self.parent[node]]
            node = self.parent[node]
        return node

    def join(self, first: int, second: int) -> None:
        """Make one set of those of two numbers."""
        self.parent[self.find(first)] = self.find(second)


def group_images(
    pixels_sha256: Sequence[str],
    *,
    near: Iterable[tuple[int, int]] = (),
    keys: Sequence[str | None] | None = None,
    ties: Sequence[str | None] | None = None,
    apart: Collection[int] = (),
) -> list[str]:
    """Return the group of each image: images joined by any shared trait, directly or through others.

    Args:
        pixels_sha256: digests of the decoded pixels; equal ones are exact duplicates and always in one group.
        near: index pairs of near-duplicates to join as well.
        keys: what names have in common (see `components.split.captures`); None joins nothing.
        ties: what an image has in common with its copies, or they with each other; None joins nothing.
        apart: indices of images that join nothing, since they are left out.

    Returns:
        A group id each: the smallest digest in the group, so that it doesn't depend on the order of the images.
    """
    sets = UnionFind(len(pixels_sha256))
    seen: dict[tuple[str, str], int] = {}

    def join_by(kind: str, key: str, index: int) -> None:
        sets.join(index, seen.setdefault((kind, key), index))

    for index, digest in enumerate(pixels_sha256):
        if index in apart:
            continue
        join_by("pixels", digest, index)
        if keys is not None and (key := keys[index]) is not None:
            join_by("name", key, index)
        if ties is not None and (tie := ties[index]) is not None:
            join_by("tie", tie, index)
    for first, second in near:
        if first not in apart and second not in apart:
            sets.join(first, second)
    smallest: dict[int, str] = {}
    for index, digest in enumerate(pixels_sha256):
        root = sets.find(index)
        smallest[root] = min(smallest.get(root, digest), digest)
    return [smallest[sets.find(index)] for index in range(len(pixels_sha256))]
