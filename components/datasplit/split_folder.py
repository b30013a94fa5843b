"""Split, balance and augment a folder `train/<label>/…` on disk, in place or into another folder."""

import contextlib
import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from components.augment.augmenter import Augmenter
from components.augment.pipeline_yaml import load_pipeline
from components.datasplit.folder_plan import FolderPlan, label_of, plan_folder
from components.datasplit.folder_work import FolderWork, Item
from components.datasplit.movable import why_not_movable
from components.datasplit.read_folder import LINKED_FOLDER, Folder, read_folder
from components.datasplit.request import (
    SPLITS,
    Outcome,
    Request,
    differences,
    record_request,
    recorded_outcome,
    recorded_request,
)
from components.datasplit.settled import changed_since, read_sources, settle, write_sources
from components.datasplit.workspace import OPTIONS, TABLES, Workspace
from components.images.codec import decode
from components.images.folder_names import split_of
from components.images.left_out import HIDDEN
from components.images.split_tables import LINEAGE
from components.split.plan import Rules, exact
from components.tools.printable import printable
from components.tools.wording import counted
from components.work.options import BeamOptions
from components.work.unit import Counts


class FolderError(RuntimeError):
    """A folder can't be split; the message says why, and nothing was changed."""


@dataclass(frozen=True)
class Watcher:
    """Where progress and remarks go."""

    progress: Callable[[str, int, int], object]
    note: Callable[[str], object]


def split_folder(
    request: Request,
    watcher: Watcher,
    *,
    workers: int | None = None,
    dry_run: bool = False,
    is_seed_drawn: bool = False,
) -> Outcome:
    """Do what is asked for, or finish what an interrupted run began.

    Args:
        request: what is asked for.
        watcher: hears of progress, of every change that a 1.x pipeline needed, of what can't be used.
        workers: processes; None for one a core, or one for little work.
        dry_run: plan only, write nothing.
        is_seed_drawn: nobody asked for this seed, so that an interrupted run may have another one.

    Raises:
        FolderError: the folder has no usable image or is split already, or the output isn't empty.
        PipelineError: the custom pipeline can't be used.
        WorkspaceError: somebody else works on the folder.
        WorkError: augmentation failed.
        OSError: the disk is full, or a file or folder can't be read or written.
        ValueError: the grouping expression is none, or captures nothing.
    """
    path = Path(request.path)
    target = Path(request.output) if request.output else path
    workspace = Workspace(target)
    if not _interrupted(workspace):
        _refuse_what_is_split(request, path, target)
    if dry_run:
        planned = _planned(request, path, watcher, workers)
        return Outcome(request, planned.plan.cells, len(planned.folder.unusable), 0)
    created = not target.exists()
    with workspace:
        return _Run(request, watcher, workers, path, target, workspace, created, is_seed_drawn).finish()


@dataclass
class _Run:
    request: Request
    watcher: Watcher
    workers: int | None
    path: Path
    target: Path
    workspace: Workspace
    created: bool
    is_seed_drawn: bool

    def finish(self) -> Outcome:
        finished = recorded_outcome(self.workspace)
        if finished is not None:
            self.watcher.note("An earlier run was interrupted while it moved files into place; finishing that.")
            self._name_differences(finished.request)
            self._commit()
            return finished
        recorded = recorded_request(self.workspace)
        if recorded is not None:
            self._resume(recorded)
        try:
            if recorded is None:  # once more, now that the folder is ours: somebody may just have finished with it
                _refuse_what_is_split(self.request, self.path, self.target)
            outcome = self._stage()
        except BaseException:
            self._give_up()
            raise
        self._commit()
        return outcome

    def _commit(self) -> None:
        """Move everything into place, and say what has changed in the folder since it was read."""
        stage = self.workspace.stage()
        changed: tuple[str, ...] = ()
        if stage is not None and (sources := read_sources(stage)):
            changed = changed_since(self.target, sources, self.workspace.began())

        def settled(stage: Path) -> None:
            found = replace(settle(stage, self.target), changed=changed)
            for line in found.told():
                self.watcher.note(line)
            if found.gone or found.come:
                self.watcher.note("The table below is that of the plan, without these changes.")

        self.workspace.commit(settled)

    def _name_differences(self, earlier: Request) -> None:
        found = differences(self.request, earlier, but=["seed"] if self.is_seed_drawn else [])
        if found:
            self.watcher.note(f"Of this command not used, since the interrupted run has: {'; '.join(found)}.")

    def _resume(self, earlier: Request) -> None:
        # In place it is the folder that holds the workspace, wherever it has been moved since.
        earlier_path = self.target if earlier.output is None else Path(earlier.path)
        if earlier_path.resolve() != self.path.resolve():
            raise FolderError(f"{self.target} holds an interrupted split of {earlier_path}; finish that one first")
        if (earlier.output is None) != (self.request.output is None):
            raise self.workspace.not_ours(OPTIONS, "in place and into another folder at once")
        self.watcher.note(f"An earlier run was interrupted; going on with its options (seed {earlier.seed}).")
        self._name_differences(earlier)
        self.request = earlier

    def _give_up(self) -> None:
        """Leave everything as it was."""
        shutil.rmtree(self.workspace.path, ignore_errors=True)
        if self.created:
            shutil.rmtree(self.target, ignore_errors=True)

    def _stage(self) -> Outcome:
        record_request(self.workspace, replace(self.request, path=str(self.path)))
        stage = self.workspace.new_stage()
        planned = _planned(self.request, self.path, self.watcher, self.workers)
        train = self.path / "train"
        in_place = self.request.output is None
        moved_from = {train / parent for _, parent in planned.folders()} if in_place else ()
        if problem := why_not_movable(self.target, moved_from):
            raise FolderError(problem)
        self._try_pipeline(train, planned.first_source())
        for split in SPLITS:
            (stage / split).mkdir()
        for split, parent in planned.folders():
            (stage / split / parent).mkdir(parents=True, exist_ok=True)

        work = FolderWork(
            str(train.absolute()), str(stage.absolute()), not in_place, self.request.seed, self.request.pipeline_yaml
        )
        copies = int(planned.plan.copies_of.sum())
        total = copies if in_place else copies + len(planned)
        scratch = stage / "units"
        scratch.mkdir()
        units, seconds = planned.units(scratch, not in_place)
        from components.work.engine import do_units  # takes a second or two, which a dry run can spare

        def report(counts: Counts) -> None:
            self.watcher.progress("writing", counts.get("copies", 0) + counts.get("originals", 0), total)

        counts = do_units(
            units, work, BeamOptions(workers=self.workers), scratch=str(scratch), seconds=seconds, report=report
        )
        shutil.rmtree(scratch)
        if resized := counts.get("resized", 0):
            differ = counted(resized, "copy differs from its source's", "copies differ from their source's")
            self.watcher.note(f"The augmentation pipeline changes sizes: {differ}.")
        for split in SPLITS:
            planned.write_csv(stage / f"{split}.csv", split, (self.request.label_column, self.request.filename_column))
        planned.write_lineage(stage / LINEAGE)
        if in_place:
            write_sources(stage, planned.sources())
        outcome = Outcome(self.request, planned.plan.cells, len(planned.folder.unusable), total)
        self.workspace.seal(stage, planned.paths_of("test") if in_place else (), asdict(outcome))
        return outcome

    def _try_pipeline(self, train: Path, source: Item | None) -> None:
        """Make one copy before any work begins: a custom pipeline may not fit the images."""
        if source is not None:
            pixels = decode((train / source.path).read_bytes()).pixels
            next(Augmenter(self.request.seed, self.request.pipeline_yaml).copies(pixels, source.sha256, 1))


def _interrupted(workspace: Workspace) -> bool:
    return recorded_request(workspace) is not None or recorded_outcome(workspace) is not None


def _refuse_what_is_split(request: Request, path: Path, target: Path) -> None:
    train = path / "train"
    folders = sorted(child.name for child in path.iterdir() if child.is_dir())
    if not train.is_dir():
        meant = next((f": rename {name}/, if that is it" for name in folders if split_of(name) == "train"), "")
        raise FolderError(f"{path} has no folder train/ with one folder a class in it{meant}")
    if train.is_symlink():
        raise FolderError(f"{train} is a link, and links aren't followed: put the folder itself in its place")
    for name in ("test", *TABLES, *(name for name in folders if split_of(name) == "test")):
        if (path / name).exists():
            with contextlib.suppress(OSError):  # all that is left where a run was killed with its last step to do
                Workspace(path).path.rmdir()
            raise FolderError(f"{path} is split already: it has {name}. Move it away to split train/ once more")
    if request.output is None:
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


def _refuse_lost_classes(folder: Folder) -> None:
    """Refuse a class of which nothing can be used: it would be missing in what is made.

    Raises:
        FolderError: there is such a class; the first is explained.
    """
    there = {label_of(path) for path in folder.paths}
    for path, reason in folder.unusable:
        label, is_inside, _ = path.partition("/")
        if label not in there and (is_inside or reason == LINKED_FOLDER):
            raise FolderError(
                f"no usable image of the class {printable(label)}: {printable(path)}: {reason}. Mend that, or move the "
                "folder out of train/"
            )


def _planned(request: Request, path: Path, watcher: Watcher, workers: int | None) -> FolderPlan:
    watcher.note(f"Seed: {request.seed}")
    if request.pipeline_yaml is not None:
        for change in load_pipeline(request.pipeline_yaml).changes:
            watcher.note(f"Pipeline of Albumentations 1.x: {change}")
    folder = read_folder(
        path / "train",
        group_regex=request.group_regex,
        group_on=request.group_on,
        near=request.near_duplicates,
        workers=workers or len(os.sched_getaffinity(0)),
        report=lambda done, total: watcher.progress("reading", done, total),
    )
    for name, reason in folder.unusable:
        watcher.note(f"Not used: {printable(name)}: {reason}")
    if any(kind != HIDDEN for kind in folder.left_out):
        counts = ", ".join(f"{count} {kind}" for kind, count in folder.left_out.items())
        watcher.note(f"Left alone, since it is no data: {counts}")
    for reason, count in sorted(Counter(folder.copies.doubts.values()).items()):
        first = min(folder.paths[index] for index, doubt in folder.copies.doubts.items() if doubt == reason)
        watcher.note(f"In doubt: {counted(count, 'image')} {reason} (the first: {printable(first)})")
    if not folder.paths:
        raise FolderError(f"no usable image in {path / 'train'}")
    _refuse_lost_classes(folder)
    if folder.captures is not None:
        groups = int(folder.groups.max()) + 1
        warning = "" if folder.captures.is_enough else "Warning: "
        watcher.note(printable(f"{warning}--group-regex: {folder.captures.text(groups)}."))
    return plan_folder(folder, rules_of(request))


def rules_of(request: Request) -> Rules:
    """Return what the plan must fulfil."""
    train = exact(request.train_split)
    shares = {"train": train, "test": 1 - train}
    multiplier = exact(request.multiplier)
    return Rules(shares, request.balanced, multiplier, request.seed, request.max_copies, request.fill_to)
