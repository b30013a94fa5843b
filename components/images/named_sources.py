"""The images of a folder that a copy's name says it may have been made of."""

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from components.images.names import possible_sources, shortened, split_extension


class Origin(NamedTuple):
    """What a copy was made from, as an index, and its number."""

    source: int
    number: int


class NamedSources:
    """Looks images up by what a copy's name says of its source, in the copy's own folder."""

    def __init__(self, paths: Sequence[str], splits: Sequence[str]) -> None:
        """Tables are made when they are first needed: most folders hold no copies.

        Args:
            paths: `<label>/…/<file name>` of each image, without its split.
            splits: of each image.
        """
        self._paths, self._splits = paths, splits

    @cached_property
    def _by_path(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for index, path in enumerate(self._paths):
            found.setdefault(path, []).append(index)
        return found

    @cached_property
    def _by_stem(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for index in sorted(range(len(self._paths)), key=self._paths.__getitem__):
            found.setdefault(split_extension(self._paths[index])[0], []).append(index)
        return found

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._by_path)

    def readings(self, index: int) -> list[list[tuple[int, str]]]:
        """Return what an image's name may say, if it is a copy's; see `possible_sources`."""
        return possible_sources(self._paths[index].rpartition("/")[2])

    def sources(self, index: int) -> list[Origin]:
        """Return the images that may be a copy's source, by its name, the likeliest first; not itself."""
        readings = self.readings(index)
        folder, slash, name = self._paths[index].rpartition("/")
        for reading in readings:
            for look_up in (self._by_path, self._by_stem):
                there: dict[int, Origin] = {}
                for number, source in reading:
                    for path in dict.fromkeys(self._paths[one] for one in look_up.get(folder + slash + source, ())):
                        # Of images of one path in several splits it is the copy's own, or else train's, eval's, test's.
                        nearest = self.nearest(self._by_path[path], index)
                        if nearest is not None:
                            there.setdefault(nearest, Origin(nearest, number))
                if there:
                    return list(there.values())
        cut = shortened(name) if readings else None
        if cut is None:
            return []
        found = self._beginning(index, folder + slash + cut[0], readings[0][0][0])
        return found[cut[1] - 1 :] + found[: cut[1] - 1]

    def nearest(self, candidates: Sequence[int], index: int) -> int | None:
        """Return the image that lies nearest to another one: in its folder, in its split."""
        others = [one for one in candidates if one != index]
        if len(others) < 2:
            return others[0] if others else None
        folder, split = self._paths[index].rpartition("/")[0], self._splits[index]
        return min(
            others,
            key=lambda one: (
                self._paths[one].rpartition("/")[0] != folder,
                self._splits[one] != split,
                self._splits[one],
                self._paths[one],
            ),
        )

    def _beginning(self, index: int, beginning: str, number: int) -> list[Origin]:
        """Return the images whose path begins like that, but for other copies whose name may have been cut."""
        found = []
        for at in range(bisect_left(self._sorted, beginning), len(self._sorted)):
            path = self._sorted[at]
            if not path.startswith(beginning):
                break
            if not shortened(path.rpartition("/")[2]):
                nearest = self.nearest(self._by_path[path], index)
                if nearest is not None:
                    found.append(Origin(nearest, number))
        return found
