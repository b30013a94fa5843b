"""Damage of files: artifacts, checkpoints, the record of runs, and disks without room."""

import json
import os
import random
import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from datasplit_command import tree
from drawn_images import draw_folder
from faults_tally import Tally
from small_disk import fill, small_disk
from writing_commands import REMEDIES, WRITING_COMMANDS

from pipeline.kubeflow.whole_files import DamagedError, refuse_damaged
from pipeline.lineage.files import FILES, damage_of, record_of
from pipeline.lineage.mlmd_store import open_store
from pipeline.lineage.store import StoreError
from pipeline.local.metadata_file import why_no_metadata
from pipeline.local.workdir import Workdir

_FORMATS = {
    "Parquet": "SplitBalanceAugment/dataset/*/*.parquet",
    "TFRecord.gz": "TFRecordConverter/examples/*/Split-*/*.gz",
    "SavedModel": "Trainer/model/*/**/[sv]a*[.b]*",
    "JSON": "*/*/*/*.json",
}


def flipped_bits(workdir: Path, place: Path, times: int, chance: random.Random) -> Iterator[Tally]:
    """Flip bits of a run's artifacts, as a local run and a task on Kubeflow look at them; and take files away."""
    for name, pattern in _FORMATS.items():
        tally = Tally(f"a bit of {name}", "found before it is read, here and on Kubeflow")
        copies = _copies(workdir, pattern, place / name)
        for _ in range(times):
            file, folder, recorded = chance.choice(copies)
            bit = chance.randrange(8 * file.stat().st_size)
            _flip(file, bit)
            tally.count(_unnoticed(folder, recorded))
            _flip(file, bit)
            assert damage_of(str(folder), recorded) is None
        yield tally
    tally = Tally("an artifact's file gone", "named before anything is read, here and on Kubeflow")
    for file, folder, recorded in _copies(workdir, "*/*/*/**/*", place / "gone"):
        aside = file.rename(place / "aside")
        tally.count(_unnoticed(folder, recorded))
        aside.rename(file)
    yield tally


def _copies(workdir: Path, pattern: str, place: Path) -> list[tuple[Path, Path, dict[str, str]]]:
    """Copy the artifacts of a run that have such files; return each file, its artifact's folder, its record."""
    found = []
    artifacts = workdir / "artifacts"
    for original in sorted(file for file in artifacts.glob(pattern) if file.is_file() and file.stat().st_size):
        parts = original.relative_to(artifacts).parts
        if ".system" in parts:
            continue
        folder = place.joinpath(*parts[:3])
        if not folder.exists():
            shutil.copytree(artifacts.joinpath(*parts[:3]), folder)
        found.append((place.joinpath(*parts), folder))
    records = {folder: {FILES: record_of(str(folder)) or ""} for _, folder in found}
    return [(file, folder, records[folder]) for file, folder in found]


def _flip(file: Path, bit: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(bit // 8)
        byte = opened.read(1)[0]
        opened.seek(bit // 8)
        opened.write(bytes([byte ^ 1 << bit % 8]))


def _unnoticed(folder: Path, recorded: dict[str, str]) -> str | None:
    if damage_of(str(folder), recorded) is None:
        return "not found"
    try:
        refuse_damaged({"x": {"artifacts": [{"uri": str(folder), "metadata": recorded}]}}, {"x": "Trainer"})
    except DamagedError as error:
        return None if "--again Trainer" in str(error) else "no remedy"
    return "not found on Kubeflow"


def damaged_checkpoints(place: Path, times: int, chance: random.Random) -> Iterator[Tally]:
    """Flip bits of a training's state."""
    from components.training.checkpoint import FILE_NAME, read_state  # imports TensorFlow

    numbers = np.random.default_rng(1)
    variables = [numbers.normal(size=(16, 16)).astype(np.float32) for _ in range(3)]
    meta = {"variables": 3, "best": 0, "fingerprint": "x"}
    file = place / FILE_NAME
    np.savez(file, meta=np.array(json.dumps(meta)), **{f"variable/{i}": value for i, value in enumerate(variables)})
    tally = Tally("a bit of a checkpoint", "read as it was written, or not at all")
    size = 8 * file.stat().st_size
    for _ in range(times):
        bit = chance.randrange(size)
        _flip(file, bit)
        try:
            state = read_state(file)
        except Exception as error:
            tally.count(repr(error))
        else:
            same = state is None or (state[0] == meta and all(map(np.array_equal, state[1], variables)))
            tally.count(None if same else "other weights")
        _flip(file, bit)
    yield tally


def damaged_records(workdir: Path, place: Path, times: int, chance: random.Random) -> Iterator[Tally]:
    """Damage `metadata.db`: bits, bytes of zero, the end cut off."""
    content = (workdir / "metadata.db").read_bytes()
    folder = Workdir(place / "damaged")
    folder.root.mkdir()
    folder.metadata.write_bytes(content)
    whole = _rows(folder)
    tally = Tally("`metadata.db` damaged", "said in a line, or nothing of it is lost")
    for number in range(times):
        damaged = bytearray(content)
        start = chance.randrange(len(damaged))
        if number % 3 == 0:
            for _ in range(30):
                damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        elif number % 3 == 1:
            damaged[start : start + 4096] = bytes(len(damaged[start : start + 4096]))
        else:
            del damaged[start:]
        folder.metadata.write_bytes(damaged)
        tally.count(_in_a_process(folder, whole))
    yield tally


def _in_a_process(folder: Workdir, whole: list[str]) -> str | None:
    """Look at a record in a process of its own, which may die of it."""
    child = os.fork()
    if not child:
        status = 9
        try:
            status = 0 if why_no_metadata(folder) or _rows(folder) == whole else 3
        except StoreError:
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    found = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {0: None, 3: "other values, unnoticed"}.get(found, f"ended with {found}")


def _rows(folder: Workdir) -> list[str]:
    store = open_store(str(folder.metadata))
    return [repr(one) for one in (*store.runs(), *store.artifacts())]


def full_disks(place: Path) -> Iterator[Tally]:
    """Give each command that writes a disk without room, or one that is read-only."""
    data = draw_folder(place / "pictures" / "data", {"a": 3, "b": 3})
    for kind in ("full", "read-only"):
        tally = Tally(f"{kind} disk, each command", "a line with the remedy, status 2, nothing written")
        for number, words in enumerate(WRITING_COMMANDS):
            with small_disk(place / f"{kind}{number}") as disk:
                draw_folder(disk / "data", {"a": 3, "b": 3})
                if kind == "full":
                    fill(disk)
                else:
                    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
                before = tree(disk), tree(data.parent)
                line = [sys.executable, "-m", "pipeline", *(word.format(place=disk, data=data) for word in words)]
                done = subprocess.run(line, capture_output=True, text=True, check=False)
                said = [text for text in done.stderr.splitlines() if text.startswith("Error: ")]
                fine = done.returncode == 2 and len(said) == 1 and any(remedy in said[0] for remedy in REMEDIES)
                is_untouched = (tree(disk), tree(data.parent)) == before
            tally.count(None if fine and is_untouched else f"{words}: {done.returncode} {done.stderr[-300:]}")
        yield tally
