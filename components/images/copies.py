"""Which images are copies of others that an earlier split made: by a table, by their own marks, by names at last. Pure.

`datasplit` writes down what it makes: in `lineage.csv` beside the images, and in each copy's own bytes (see
`components.images.copy_mark`). Where that is lost, a name says something only if what could be its source is there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from components.images.copy_mark import CopyMark
from components.images.named_sources import NamedSources, Origin

# Why an image's place among copies is in doubt.
NO_SOURCE = "named like a copy, but no image that could be its source is there: taken for an original"
SIBLINGS = "named like copies of one image that isn't there: taken for originals that stay together"
SEVERAL = "named like a copy of several images: taken for one of the likeliest"
MARK_WITHOUT_SOURCE = "marked as a copy of a file that isn't there: copies of that file stay together"
MARK_OUTDATED = "marked as a copy of a file that isn't there: taken for a copy of the image that its name says"
TABLE_AGAINST_MARK = "lineage.csv and the mark in the file disagree: the table counts"
TABLE_AGAINST_NAME = "lineage.csv and the file's name disagree: the table counts"
MARK_AGAINST_NAME = "the mark in the file and its name disagree: the mark counts"
NOT_IN_TABLE = "marked as a copy, but not in lineage.csv: the mark counts"
OTHER_CLASS = "a copy of an image that lies in another class's folder"


@dataclass(frozen=True)
class Copies:
    """Copies among some images, which are known by their index.

    Attributes:
        origins: of each copy whose source is there; that may be a copy itself.
        roots: the original at the end of these.
        lost: what copies of a source that isn't there have in common, in words.
        doubts: reason, by the index of the image that is in doubt.
    """

    origins: Mapping[int, Origin]
    roots: Mapping[int, int]
    lost: Mapping[int, str]
    doubts: Mapping[int, str]

    def ties(self, ids: Sequence[str]) -> list[str | None]:
        """Return what an image has in common with its copies and they with each other; None for all other images."""
        originals = set(self.roots.values())
        ties: list[str | None] = []
        for index in range(len(ids)):
            root = self.roots.get(index, index)
            ties.append(self.lost.get(root) or (ids[root] if root in originals else None))
        return ties


def class_folder(path: str) -> str:
    """Return the first folder of a path; "" where there is none: of images in one folder a table has the labels."""
    folder, slash, _ = path.partition("/")
    return folder if slash else ""


def find_copies(
    paths: Sequence[str],
    *,
    splits: Sequence[str] | None = None,
    table: Mapping[int, Origin | str] | None = None,
    marks: Mapping[int, CopyMark] | None = None,
    digests: Iterable[str] = (),
    listed: Sequence[bool] | None = None,
    folders: Sequence[str] | None = None,
) -> Copies:
    """Find out which images are copies, and of which.

    Args:
        paths: `<label>/…/<file name>` of each image, without its split: a copy may have been torn from its source.
        splits: of each image, "" for train.
        table: what `lineage.csv` says; None where there is none. An image that isn't in it is an original. A text names
            a source that can't be used.
        marks: of the images that have one.
        digests: SHA-256 of each image's file, in hex; needed with marks.
        listed: whether the table is of an image's folder; by default of all.
        folders: the class folder of each image; by default the first of its path.
    """
    listed = [table is not None] * len(paths) if listed is None or table is None else listed
    folders = [class_folder(path) for path in paths] if folders is None else folders
    search = _Search(paths, splits or [""] * len(paths), table, marks or {}, digests, listed, folders)
    for index in range(len(paths)):
        search.place(index)
    search.place_those_without_source()
    return Copies(search.origins, _roots(search.origins), search.lost, search.doubts)


class _Search:
    """What has been found out so far."""

    def __init__(
        self,
        paths: Sequence[str],
        splits: Sequence[str],
        table: Mapping[int, Origin | str] | None,
        marks: Mapping[int, CopyMark],
        digests: Iterable[str],
        listed: Sequence[bool],
        folders: Sequence[str],
    ) -> None:
        self._paths, self._marks, self._listed, self._folders = paths, marks, listed, folders
        self._named = NamedSources(paths, splits)
        wanted = {mark.source_sha256 for mark in marks.values()}
        self._by_digest: dict[str, list[int]] = {}
        for index, digest in enumerate(digests):
            if digest in wanted:
                self._by_digest.setdefault(digest, []).append(index)
        given = (table or {}).items()
        self.origins = {index: origin for index, origin in given if isinstance(origin, Origin)}
        self.lost = {index: f"copies of {source}" for index, source in given if isinstance(source, str)}
        self.doubts: dict[int, str] = {}
        self._lost_by_mark: dict[str, list[int]] = {}
        self._lost_by_name: dict[str, list[int]] = {}

    def place(self, index: int) -> None:
        """Decide on one image by the best there is: table, mark, name."""
        if index in self.lost:
            return
        if index in self.origins:
            self._check_table(index)
        elif index in self._marks:
            self._place_by_mark(index, self._marks[index])
        elif readings := self._named.readings(index):
            by_name = self._named.sources(index)
            if not by_name:
                folder = self._paths[index].rpartition("/")[0]
                self._lost_by_name.setdefault(f"{folder}/{readings[0][0][1]}", []).append(index)
            elif not self._listed[index]:
                self.origins[index] = by_name[0]
                if len(by_name) > 1:
                    self.doubts[index] = SEVERAL

    def place_those_without_source(self) -> None:
        """Tie copies of one missing source to each other, or to the image that the names of marked ones say."""
        for digest, members in self._lost_by_mark.items():
            named = [found[0].source for index in members if (found := self._named.sources(index))]
            source = min(named, key=self._paths.__getitem__, default=None)
            for index in members:
                self.doubts[index] = MARK_WITHOUT_SOURCE if source is None else MARK_OUTDATED
                if source is None:
                    self.lost[index] = f"copies of a file with SHA-256 {digest}"
                elif index != source:
                    self.origins[index] = Origin(source, self._marks[index].number)
        for missing, members in self._lost_by_name.items():
            for index in members:
                if len(members) > 1:
                    self.lost[index] = f"copies of {missing}"
                if not self._listed[index]:
                    self.doubts[index] = SIBLINGS if len(members) > 1 else NO_SOURCE

    def _check_table(self, index: int) -> None:
        source = self.origins[index].source
        marked = [one for one in self._marked_sources(index) if one != index]
        if marked and source not in marked:
            self.doubts[index] = TABLE_AGAINST_MARK
        elif self._name_contradicts(index, [source]):
            self.doubts[index] = TABLE_AGAINST_NAME
        elif self._folders[index] != self._folders[source]:
            self.doubts[index] = OTHER_CLASS

    def _place_by_mark(self, index: int, mark: CopyMark) -> None:
        same = self._marked_sources(index)
        source = self._named.nearest(same, index)
        if source is None:
            self._lost_by_mark.setdefault(mark.source_sha256, []).append(index)
            return
        self.origins[index] = Origin(source, mark.number)
        if self._listed[index]:
            self.doubts[index] = NOT_IN_TABLE
        elif self._name_contradicts(index, same):
            self.doubts[index] = MARK_AGAINST_NAME
        elif self._folders[index] != self._folders[source]:
            self.doubts[index] = OTHER_CLASS

    def _marked_sources(self, index: int) -> list[int]:
        """Return the images whose file is the one in an image's mark: several, where there are duplicates."""
        return self._by_digest.get(self._marks[index].source_sha256, []) if index in self._marks else []

    def _name_contradicts(self, index: int, sources: Sequence[int]) -> bool:
        by_name = {origin.source for origin in self._named.sources(index)}
        return bool(by_name) and by_name.isdisjoint(sources)


def _roots(origins: dict[int, Origin]) -> dict[int, int]:
    """Return each copy's original; a circle, which only contradictory names and tables make, is cut open."""
    roots: dict[int, int] = {}
    for index in sorted(origins):
        chain = [index]
        while chain[-1] in origins and origins[chain[-1]].source not in chain:
            chain.append(origins[chain[-1]].source)
        origins.pop(chain[-1], None)
        roots[index] = chain[-1]
    return {index: root for index, root in roots.items() if index in origins}
