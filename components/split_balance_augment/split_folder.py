"""Split, balance and augment a folder `train/<label>/…` on disk, in place or into another folder."""

import csv
import io
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from components.images.codec import decode
from components.images.names import copy_name, free_variants
from components.options import BeamOptions
from components.split_balance_augment.augmenter import Augmenter
from components.split_balance_augment.folder import Folder, Image, read_folder
from components.split_balance_augment.folder_sink import FolderUnit, FolderWork, Item, copy_format
from components.split_balance_augment.pipeline_yaml import load_pipeline
from components.split_balance_augment.plan import Cell, Plan, Rules, exact, make_plan
from components.split_balance_augment.work import Counts
from components.split_balance_augment.workspace import Workspace

SPLITS = ("train", "test")
# Estimates of work, seconds: a pixel of a copy (with its share of decoding), a file that is written.
_SECONDS_PER_COPIED_PIXEL = 3.5e-8
_SECONDS_PER_FILE = 5e-5
_SECONDS_PER_UNIT = 2.0
_FEWEST_UNITS = 16


class FolderError(RuntimeError):
    """A folder can't be split; the message says why, and nothing was changed."""


@dataclass(frozen=True)
class Request:
    """What is asked for; numbers as they were typed. It is recorded, so that an interrupted run goes on with it."""

    path: str
    output: str | None
    train_split: str
    multiplier: str
    balanced: tuple[str, ...]
    seed: int
    label_column: str
    filename_column: str
    group_regex: str | None
    near_duplicates: bool
    pipeline_yaml: str | None


@dataclass(frozen=True)
class Watcher:
    """Where progress and remarks go."""

    progress: Callable[[str, int, int], object]
    note: Callable[[str], object]


@dataclass(frozen=True)
class Outcome:
    """What was done, or would be: the plan's table, and how many images were read and written."""

    request: Request
    cells: tuple[Cell, ...]
    unusable: int
    written: int


def split_folder(request: Request, watcher: Watcher, *, workers: int | None = None, dry_run: bool = False) -> Outcome:
    """Do what is asked for, or finish what an interrupted run began.

    Args:
        request: what is asked for.
        watcher: hears of progress, of every change that a 1.x pipeline needed, of what can't be used.
        workers: processes; None for one a core.
        dry_run: plan only, write nothing.

    Raises:
        FolderError: the folder has no usable image or is split already, or the output isn't empty.
        PipelineError: the custom pipeline can't be used.
        WorkspaceError: somebody else works on the folder.
        WorkError: augmentation failed.
        OSError: the disk is full, or a file or folder can't be read or written.
        ValueError: the grouping expression is none.
    """
    path = Path(request.path)
    target = Path(request.output) if request.output else path
    workspace = Workspace(target)
    if not _interrupted(workspace):
        _refuse_what_is_split(request, path, target)
    if dry_run:
        _, plan, folder = _planned(request, path, watcher, workers)
        return Outcome(request, plan.cells, len(folder.unusable), 0)
    created = not target.exists()
    with workspace:
        return _Run(request, watcher, workers, path, target, workspace, created).finish()


@dataclass
class _Run:
    request: Request
    watcher: Watcher
    workers: int | None
    path: Path
    target: Path
    workspace: Workspace
    created: bool

    def finish(self) -> Outcome:
        sealed = self.workspace.committed()
        if sealed is not None:
            self.watcher.note("An earlier run was interrupted while it moved files into place; finishing that.")
            self.workspace.commit()
            return _outcome_of(sealed["note"])
        recorded = self.workspace.recorded()
        if recorded is not None:
            self._resume(recorded)
        try:
            if recorded is None:  # once more, now that the folder is ours: somebody may just have finished with it
                _refuse_what_is_split(self.request, self.path, self.target)
            outcome = self._stage()
        except BaseException:
            self._give_up()
            raise
        self.workspace.commit()
        return outcome

    def _resume(self, recorded: dict[str, Any]) -> None:
        recorded["balanced"] = tuple(recorded["balanced"])
        earlier = Request(**recorded)
        if Path(earlier.path).resolve() != self.path.resolve():
            raise FolderError(f"{self.target} holds an interrupted split of {earlier.path}; finish that one first")
        self.watcher.note(f"An earlier run was interrupted; going on with its options (seed {earlier.seed}).")
        self.request = earlier

    def _give_up(self) -> None:
        """Leave everything as it was."""
        shutil.rmtree(self.workspace.path, ignore_errors=True)
        if self.created:
            shutil.rmtree(self.target, ignore_errors=True)

    def _stage(self) -> Outcome:
        self.workspace.record(asdict(self.request))
        stage = self.workspace.new_stage()
        items, plan, folder = _planned(self.request, self.path, self.watcher, self.workers)
        train = self.path / "train"
        in_place = self.request.output is None
        self._try_pipeline(train, items)
        for split in SPLITS:
            (stage / split).mkdir()
        for split, parent in sorted({(item.split, item.path.rpartition("/")[0]) for item in items}):
            (stage / split / parent).mkdir(parents=True, exist_ok=True)

        work = FolderWork(
            str(train.absolute()), str(stage.absolute()), not in_place, self.request.seed, self.request.pipeline_yaml
        )
        copies = int(plan.copies_of.sum())
        total = copies if in_place else copies + len(items)
        units, seconds = _units(items, folder.images, not in_place)
        from components.split_balance_augment.beam import do_units  # takes a second or two, which a dry run can spare

        def report(counts: Counts) -> None:
            self.watcher.progress("writing", counts.get("copies", 0) + counts.get("originals", 0), total)

        scratch = stage / "units"
        scratch.mkdir()
        counts = do_units(
            units, work, BeamOptions(workers=self.workers), scratch=str(scratch), seconds=seconds, report=report
        )
        shutil.rmtree(scratch)
        if resized := counts.get("resized", 0):
            self.watcher.note(f"The augmentation pipeline changes sizes: {resized} copies differ from their source's.")
        for split in SPLITS:
            _write_csv(stage / f"{split}.csv", split, items, self.request)
        outcome = Outcome(self.request, plan.cells, len(folder.unusable), total)
        moves = (item.path for item in items if item.split == "test") if in_place else iter(())
        self.workspace.seal(stage, moves, _note_of(outcome))
        return outcome

    def _try_pipeline(self, train: Path, items: Sequence[Item]) -> None:
        """Make one copy before any work begins: a custom pipeline may not fit the images."""
        item = next((item for item in items if item.copies), None)
        if item is not None:
            pixels = decode((train / item.path).read_bytes()).pixels
            next(Augmenter(self.request.seed, self.request.pipeline_yaml).copies(pixels, item.sha256, 1))


def _interrupted(workspace: Workspace) -> bool:
    return workspace.recorded() is not None or workspace.committed() is not None


def _refuse_what_is_split(request: Request, path: Path, target: Path) -> None:
    train = path / "train"
    if not train.is_dir():
        raise FolderError(f"{path} has no folder train/ with one folder a class in it")
    if request.output is None:
        for name in ("test", "train.csv", "test.csv"):
            if (path / name).exists():
                raise FolderError(f"{path} is split already: it has {name}")
        return
    if target.resolve() == path.resolve():
        raise FolderError("the output is the input: leave --output-path out to work in place")
    if train.resolve() in (target.resolve(), *target.resolve().parents):
        raise FolderError(f"the output {target} lies inside {train}")
    if not target.exists():
        return
    if not target.is_dir():
        raise FolderError(f"the output {target} is not a folder")
    inside = sorted(child.name for child in target.iterdir() if child.name != ".datasplit")
    if inside not in ([], ["train"]) or (inside and any((target / "train").iterdir())):
        raise FolderError(f"the output {target} must be missing or empty. Received: {', '.join(inside[:5])}")


def _planned(request: Request, path: Path, watcher: Watcher, workers: int | None) -> tuple[list[Item], Plan, Folder]:
    watcher.note(f"Seed: {request.seed}")
    if request.pipeline_yaml is not None:
        for change in load_pipeline(request.pipeline_yaml).changes:
            watcher.note(f"Pipeline of Albumentations 1.x: {change}")
    folder = read_folder(
        path / "train",
        group_regex=request.group_regex,
        near=request.near_duplicates,
        follow_links=request.output is not None,
        workers=workers or len(os.sched_getaffinity(0)),
        report=lambda done, total: watcher.progress("reading", done, total),
    )
    for name, reason in folder.unusable:
        watcher.note(f"Not used: {printable(name)}: {reason}")
    images = folder.images
    if not images:
        raise FolderError(f"no usable image in {path / 'train'}")
    share = exact(request.train_split)
    plan = make_plan(
        Rules({"train": share, "test": 1 - share}, request.balanced, exact(request.multiplier), request.seed),
        labels=[image.label for image in images],
        digests=[image.sha256 for image in images],
        ids=[image.path for image in images],
        groups=[image.group for image in images],
    )
    paths, copies = [image.path for image in images], plan.copies_of.tolist()
    extensions = [copy_format(image.path, image.format)[1] for image in images]
    existing = [*paths, *(name for name, _ in folder.unusable), *folder.folders]
    variants = free_variants(paths, copies, existing, extensions)
    items = [
        Item(image.path, image.sha256, plan.splits[split], count, image.format, variant)
        for image, split, count, variant in zip(images, plan.split_of.tolist(), copies, variants, strict=True)
    ]
    return items, plan, folder


def _units(items: Sequence[Item], images: Sequence[Image], all_files: bool) -> tuple[list[FolderUnit], float]:
    """Cut the work into units of about equal time; also the seconds of all of it on one core."""
    costs = [
        item.copies * (image.pixel_count * _SECONDS_PER_COPIED_PIXEL + _SECONDS_PER_FILE)
        + all_files * _SECONDS_PER_FILE
        for item, image in zip(items, images, strict=True)
    ]
    most = min(_SECONDS_PER_UNIT, sum(costs) / _FEWEST_UNITS)
    units: list[FolderUnit] = []
    part: list[Item] = []
    cost = 0.0
    for item, more in zip(items, costs, strict=True):
        if not more:
            continue
        if part and cost + more > most:
            units.append(FolderUnit(len(units), tuple(part)))
            part, cost = [], 0.0
        part.append(item)
        cost += more
    if part:
        units.append(FolderUnit(len(units), tuple(part)))
    return units, sum(costs)


def _write_csv(path: Path, split: str, items: Sequence[Item], request: Request) -> None:
    """Label and file name of each image of a split, sorted; a label's names are in memory at a time."""
    with path.open("wb") as file:
        file.write(_csv_line(request.label_column, request.filename_column))
        for label, of_label in groupby(items, key=lambda item: item.path.partition("/")[0]):
            for name in sorted(name for item in of_label if item.split == split for name in _names(item)):
                file.write(_csv_line(label, name))


def _names(item: Item) -> Iterator[str]:
    """File names of a source and its copies, relative to the class folder."""
    inside = item.path.partition("/")[2]
    yield inside
    extension = copy_format(item.path, item.format)[1]
    for number in range(1, item.copies + 1):
        yield copy_name(inside, number, extension, item.variant)


def _csv_line(*values: str) -> bytes:
    text = io.StringIO()
    # Python before 3.13 leaves a carriage return unquoted, which a reader would take for a line's end.
    every = any("\r" in value for value in values)
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL).writerow(values)
    return text.getvalue().encode("utf-8", "surrogateescape")


def printable(name: str) -> str:
    r"""A file name as text: bytes that aren't UTF-8, and control characters, as `\xNN`."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _note_of(outcome: Outcome) -> dict[str, Any]:
    return asdict(outcome)


def _outcome_of(note: dict[str, Any]) -> Outcome:
    request = Request(**(note["request"] | {"balanced": tuple(note["request"]["balanced"])}))
    return Outcome(request, tuple(Cell(**cell) for cell in note["cells"]), note["unusable"], note["written"])
