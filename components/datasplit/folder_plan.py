"""The plan of a folder's images: who goes where, under which names the copies appear, and which units do the work."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from sys import intern

import numpy as np
from numpy.typing import NDArray

from components.datasplit.folder_work import FolderUnit, Item, copy_format
from components.datasplit.read_folder import Folder
from components.datasplit.tables import csv_line
from components.images.names import copy_name, free_variants
from components.images.split_tables import LINEAGE_HEADER
from components.split.plan import Plan, Rules, make_plan

# Estimates of work, seconds: a pixel of a copy (with its share of decoding), a file that is written.
_SECONDS_PER_COPIED_PIXEL = 3.5e-8
_SECONDS_PER_FILE = 5e-5
_SECONDS_PER_UNIT = 2.0
_FEWEST_UNITS = 16


@dataclass(frozen=True)
class FolderPlan:
    """A folder with its plan.

    Attributes:
        folder: the images.
        plan: split and number of copies of each.
        variants: of each image's copies' names, see `components.images.names`.
    """

    folder: Folder
    plan: Plan
    variants: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.folder.paths)

    def item(self, index: int) -> Item:
        """Return what is done with one image."""
        return Item(
            self.folder.paths[index],
            self.folder.sha256(index),
            self.plan.splits[self.plan.split_of[index]],
            int(self.plan.copies_of[index]),
            self.folder.format(index),
            int(self.variants[index]),
        )

    def folders(self) -> list[tuple[str, str]]:
        """Split and path of each folder that something is put in."""
        splits = self.plan.splits
        where = zip(self.plan.split_of.tolist(), self.folder.paths, strict=True)
        return sorted({(splits[split], path.rpartition("/")[0]) for split, path in where})

    def first_source(self) -> Item | None:
        """Return the first image of which copies are made, if there is one."""
        sources = np.flatnonzero(self.plan.copies_of)
        return self.item(int(sources[0])) if len(sources) else None

    def paths_of(self, split: str) -> Iterator[str]:
        """Paths of a split's originals."""
        code = self.plan.splits.index(split)
        return (self.folder.paths[index] for index in np.flatnonzero(self.plan.split_of == code).tolist())

    def units(self, scratch: Path, all_files: bool) -> tuple[list[FolderUnit], float]:
        """Cut the work into units of about equal time, written to `scratch`; also the seconds of all of it on one core.

        Args:
            scratch: an existing folder.
            all_files: whether images without copies are work too.
        """
        copies = self.plan.copies_of
        costs = copies * (self.folder.pixel_counts * _SECONDS_PER_COPIED_PIXEL + _SECONDS_PER_FILE)
        costs = costs + all_files * _SECONDS_PER_FILE
        total = float(costs.sum())
        most = min(_SECONDS_PER_UNIT, total / _FEWEST_UNITS)
        units: list[FolderUnit] = []
        part: list[int] = []
        cost = 0.0
        for index in np.flatnonzero(costs).tolist():
            if part and cost + costs[index] > most:
                units.append(FolderUnit.of(len(units), map(self.item, part), scratch))
                part, cost = [], 0.0
            part.append(index)
            cost += float(costs[index])
        if part:
            units.append(FolderUnit.of(len(units), map(self.item, part), scratch))
        return units, total

    def sources(self) -> Iterator[tuple[str, str]]:
        """Path and digest of each original."""
        return ((path, self.folder.sha256(index)) for index, path in enumerate(self.folder.paths))

    def write_csv(self, path: Path, split: str, columns: tuple[str, str]) -> None:
        """Label and file name of each image of a split, sorted; one label's names are in memory at a time."""
        members: dict[str, list[int]] = {}
        for index in np.flatnonzero(self.plan.split_of == self.plan.splits.index(split)).tolist():
            members.setdefault(label_of(self.folder.paths[index]), []).append(index)
        with path.open("wb") as file:
            file.write(csv_line(*columns))
            for label in sorted(members):
                for name in sorted(name for index in members[label] for name in _names(self.item(index))):
                    file.write(csv_line(label, name))

    def write_lineage(self, path: Path) -> None:
        """File, source and copy number of each augmented copy, sorted: of those that are made and those already there.

        Paths begin with the split. Whoever reads the table takes an image that isn't in it for an original.
        """
        given = self.folder.copies.origins
        members: dict[tuple[str, str], list[int]] = {}
        for index in sorted({*np.flatnonzero(self.plan.copies_of).tolist(), *given}):
            split = self.plan.splits[self.plan.split_of[index]]
            members.setdefault((split, label_of(self.folder.paths[index])), []).append(index)
        with path.open("wb") as file:
            file.write(csv_line(*LINEAGE_HEADER))
            for place in sorted(members):
                for line in sorted(line for index in members[place] for line in self._lineage(index)):
                    file.write(csv_line(*map(str, line)))

    def _lineage(self, index: int) -> Iterator[tuple[str, str, int]]:
        item = self.item(index)
        path = f"{item.split}/{item.path}"
        if (origin := self.folder.copies.origins.get(index)) is not None:
            source = self.item(origin.source)
            yield path, f"{source.split}/{source.path}", origin.number
        names = _names(item)
        next(names)
        for number, name in enumerate(names, start=1):
            yield f"{item.split}/{label_of(item.path)}/{name}", path, number


def plan_folder(folder: Folder, rules: Rules) -> FolderPlan:
    """Plan train and test.

    Args:
        folder: at least one image.
        rules: of the splits train and test.
    """
    paths = folder.paths
    plan = make_plan(
        rules,
        labels=[label_of(path) for path in paths],
        digests=map(folder.sha256, range(len(paths))),
        ids=paths,
        groups=folder.groups,
    )
    extensions = [copy_format(path, folder.format(index))[1] for index, path in enumerate(paths)]
    existing = [*paths, *(name for name, _ in folder.unusable), *folder.folders]
    variants = free_variants(paths, plan.copies_of.tolist(), existing, extensions)
    return FolderPlan(folder, plan, np.asarray(variants, dtype=np.int32))


def label_of(path: str) -> str:
    """Class name of a path below `train`; equal ones are one object."""
    return intern(path.partition("/")[0])


def _names(item: Item) -> Iterator[str]:
    """File names of a source and its copies, relative to the class folder."""
    inside = item.path.partition("/")[2]
    yield inside
    extension = copy_format(item.path, item.format)[1]
    for number in range(1, item.copies + 1):
        yield copy_name(inside, number, extension, item.variant)
