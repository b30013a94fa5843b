"""Decide splits by hash, so that no image moves as others come and go. Pure.

Each group of images has an anchor: what its images capture in their names, or the smallest digest of their pixels. The
anchor's hash, a number from 0 to 1, lies in the share of one split, whatever else there is. The price is that shares
are met on average alone: of n groups of one image, a split of share p gets p·n ± √(n·p·(1 - p)).

What joins groups would move them, so groups have an age, that of their oldest folder. An image that comes later goes
where the group is that it joins. One that ties images of two splits together, such as a near-duplicate of both, would
leak wherever it went, and is left out.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from components.split.groups import UnionFind

LEFT_OUT = -1
_Trait = tuple[str, str]


@dataclass(frozen=True)
class Images:
    """What is known of each image.

    Attributes:
        ids: which `ties` may name.
        pixels: digests of the decoded pixels.
        keys: what names have in common; None joins nothing.
        ties: the id of the image's source, its own, or what copies of a missing source have in common.
        ages: 0 for images of the oldest folder, and so on.
        hashes: perceptual ones; images of one, or of two that are alike, stay together. None joins nothing.
        alike: to each hash those that are.
    """

    ids: Sequence[str]
    pixels: Sequence[str]
    keys: Sequence[str | None]
    ties: Sequence[str]
    ages: Sequence[int]
    hashes: Sequence[int | None]
    alike: Mapping[int, Collection[int]]

    def traits(self, index: int) -> list[_Trait]:
        """Return what an image has in common with those that it is joined to."""
        key, hashed = self.keys[index], self.hashes[index]
        found = [] if key is None else [("name", key)]
        found += [("pixels", self.pixels[index]), ("tie", self.ties[index])]
        return found if hashed is None else [*found, ("hash", f"{hashed}")]

    def alike_traits(self, index: int) -> list[_Trait]:
        """Return what others have that it is joined to as well."""
        hashed = self.hashes[index]
        return [] if hashed is None else [("hash", f"{other}") for other in self.alike.get(hashed, ())]

    def anchors(self) -> list[_Trait]:
        """Return what decides on each image where nothing else does; a copy has its source's."""
        at = {file_id: index for index, file_id in enumerate(self.ids)}
        return [
            self.traits(at[tie])[0] if tie in at else self.traits(index)[0] if self.keys[index] else ("tie", tie)
            for index, tie in enumerate(self.ties)
        ]


def alike_hashes(hashes: Sequence[int | None], near: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    """Return to each hash those that are alike.

    Args:
        hashes: of each image.
        near: index pairs that link all images of alike hashes, directly or through others of the same hash.
    """
    found: dict[int, set[int]] = defaultdict(set)
    for first, second in near:
        one, other = hashes[first], hashes[second]
        if one is not None and other is not None and one != other:
            found[one].add(other)
            found[other].add(one)
    return found


def assign_stably(images: Images, free: Iterable[int], shares: Sequence[Fraction], seed: int) -> list[int]:
    """Return the split of each image, as an index into the shares; `LEFT_OUT` for one that would leak, or isn't free.

    Args:
        images: all of them.
        free: indices of those to decide on; others join nothing.
        shares: of the splits, in order.
        seed: another one is another split.
    """
    splits = [LEFT_OUT] * len(images.ids)
    anchors = images.anchors()
    by_age: dict[int, list[int]] = defaultdict(list)
    for index in free:
        by_age[images.ages[index]].append(index)
    settled: dict[_Trait, int] = {}
    for _, members in sorted(by_age.items()):
        for group in _groups(images, members):
            shared = (trait for index in group for trait in (*images.traits(index), *images.alike_traits(index)))
            found = {settled[trait] for trait in shared if trait in settled}
            if len(found) > 1:
                continue
            split = found.pop() if found else _split_of(min(anchors[index] for index in group), shares, seed)
            for index in group:
                splits[index] = split
        settled |= {
            trait: splits[index] for index in members if splits[index] != LEFT_OUT for trait in images.traits(index)
        }
    return splits


def _groups(images: Images, members: Sequence[int]) -> list[list[int]]:
    """Return images of one age, those that belong together in a list."""
    sets = UnionFind(len(members))
    first: dict[_Trait, int] = {}
    for number, index in enumerate(members):
        for trait in images.traits(index):
            sets.join(number, first.setdefault(trait, number))
    for number, index in enumerate(members):
        for trait in images.alike_traits(index):
            sets.join(number, first.get(trait, number))
    found: dict[int, list[int]] = defaultdict(list)
    for number, index in enumerate(members):
        found[sets.find(number)].append(index)
    return list(found.values())


def _split_of(anchor: _Trait, shares: Sequence[Fraction], seed: int) -> int:
    digest = hashlib.blake2b("\0".join((str(seed), *anchor)).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    number = Fraction(int.from_bytes(digest, "big"), 1 << 64) * sum(shares)
    ends = (sum(shares[: end + 1], Fraction(0)) for end in range(len(shares)))
    return next(split for split, end in enumerate(ends) if number < end)


def expected_deviation(groups: Iterable[str], share: float) -> float:
    """Return the standard deviation of a split's images that comes of the hash.

    Args:
        groups: of each image.
        share: of the split.
    """
    return math.sqrt(share * (1 - share) * sum(size**2 for size in Counter(groups).values()))
