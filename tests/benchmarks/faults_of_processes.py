"""Processes that are killed with -9 at random moments, and folders that change before the next one finishes."""

import csv
import hashlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from datasplit_command import COUNTS, tree, tree_hash
from drawn_images import draw, draw_folder
from faults_tally import Tally
from whole_pipeline import command, run

from pipeline.sample.dataset import write_sample_data

# What a run makes that is the same in each: no times, no names of runs in it.
_SAME = (
    "ImageIngest/images", "ImageIngest/findings", "SplitBalanceAugment/dataset", "TFRecordConverter/examples",
    "TFRecordConverter/groups", "ImageSchema/schema", "SimpleBaselines/baselines", "DataGate/verdict",
)  # fmt: skip
_PREDICTIONS = ("PredictionAnalysis/analysis/*/predictions.parquet", "Trainer/model_run/*/*.parquet")


def kills_of_runs(place: Path, times: int, chance: random.Random) -> Iterator[Tally]:
    """Kill whole runs; then damage what the cache has of one."""
    data = place / "faces"
    write_sample_data(data, 240)
    began = time.monotonic()
    whole = run(data, place / "whole")
    assert whole.status == 0, whole.text
    seconds, expected = time.monotonic() - began, _made(place / "whole")
    tally = Tally("`run` killed", "the next run ends with the same data sets, weights and predictions")
    for _ in range(times):
        work = place / "killed"
        shutil.rmtree(work, ignore_errors=True)
        process = subprocess.Popen(
            command(data, work), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(chance.uniform(0.1, 1) * seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        result = run(data, work)
        made = _made(work)
        differing = [name for name in expected if made.get(name) != expected[name]]
        tally.count(None if result.status == 0 and not differing else f"{result.text[-300:]} {differing}")
    yield tally
    tally = Tally("artifact in the cache damaged or gone", "the run names it, and the next makes it again, the same")
    for pattern, damage in (
        ("SplitBalanceAugment/dataset/*/*.parquet", _flip),
        ("TFRecordConverter/examples/*/Split-train/*.gz", Path.unlink),
    ):
        file = sorted((place / "whole" / "artifacts").glob(pattern))[0]
        damage(file)
        first, second = run(data, place / "whole"), run(data, place / "whole")
        made = _made(place / "whole")
        differing = [name for name in expected if made.get(name) != expected[name]]
        is_named = first.status == 1 and str(file) in "".join(first.text.split("\n"))
        tally.count(None if is_named and second.status == 0 and not differing else f"{first.text[-500:]} {differing}")
    yield tally


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _made(workdir: Path) -> dict[str, str]:
    """Digests of what is the same in each run, by component, output and file; of the newest of each."""
    found = {}
    artifacts = workdir / "artifacts"
    files = [file for output in _SAME for file in artifacts.glob(f"{output}/*/**/*")]
    files += [file for pattern in _PREDICTIONS for file in artifacts.glob(pattern)]
    for file in sorted((one for one in files if one.is_file()), key=_execution(artifacts)):
        component, output, number, *rest = file.relative_to(artifacts).parts
        if number.isdecimal():
            found["/".join([component, output, *rest])] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


def _execution(artifacts: Path) -> Callable[[Path], int]:
    def number(file: Path) -> int:
        text = file.relative_to(artifacts).parts[2]
        return int(text) if text.isdecimal() else 0

    return number


def kills_of_splits(place: Path, times: int, chance: random.Random) -> Iterator[Tally]:
    """Kill `datasplit`, in place and into another folder; and change a folder before the next one finishes."""
    data = draw_folder(place / "data", COUNTS)
    for fault, elsewhere in (("`datasplit` in place killed", False), ("`datasplit --output-path` killed", True)):
        yield _killed_splits(
            Tally(fault, "the next one ends with the same bytes"), data, place, times, chance, elsewhere
        )
    yield _changed_folders(data, place, times // 2, chance)


def _killed_splits(tally: Tally, data: Path, place: Path, times: int, chance: random.Random, elsewhere: bool) -> Tally:
    target = place / "trial"

    def fresh() -> None:
        shutil.rmtree(target, ignore_errors=True)
        if not elsewhere:
            shutil.copytree(data, target)

    def start(at: str = "") -> int:
        return _forked(data if elsewhere else target, target if elsewhere else None, at)

    seconds = []
    for _ in range(2):  # the first loads modules
        fresh()
        began = time.monotonic()
        assert os.waitpid(start(), 0)[1] == 0
        seconds.append(time.monotonic() - began)
    expected = tree_hash(target)
    while tally.tried < times:
        fresh()
        child = start()
        time.sleep(chance.uniform(0, min(seconds)))
        os.kill(child, signal.SIGKILL)
        died = os.waitpid(child, 0)[1] != 0
        if not died or ((target / "train.csv").exists() and not (target / ".datasplit" / "commit.json").exists()):
            continue  # it had finished already
        status = os.waitpid(start(), 0)[1]
        tally.count(None if status == 0 and tree_hash(target) == expected else f"status {status}, or other files")
    return tally


def _changed_folders(data: Path, place: Path, times: int, chance: random.Random) -> Tally:
    tally = Tally("images gone, new or changed in a sealed folder", "the tables list what is there")
    target = place / "changed"
    for number in range(times):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(data, target)
        os.waitpid(_forked(target, None, "sealed"), 0)
        assert (target / ".datasplit" / "commit.json").exists()
        images = sorted((target / "train").rglob("*.jpg"))
        gone, other = chance.sample(images, 3), target / "train" / "happy" / f"new{number}.jpg"
        for image in gone[:2]:
            image.unlink()
        draw(gone[2], seed=number)
        draw(other, seed=1000 + number)
        status = os.waitpid(_forked(target, None, ""), 0)[1]
        there = sorted(name for name in tree(target) if "/" in name)
        tally.count(None if status == 0 and _listed(target) == there else f"status {status}, or other rows")
    return tally


def _listed(target: Path) -> list[str]:
    found = []
    for split in ("train", "test"):
        with (target / f"{split}.csv").open(newline="") as file:
            found += [f"{split}/{row['label']}/{row['filename']}" for row in csv.DictReader(file)]
    return sorted(found)


def _forked(path: Path, output: Path | None, at: str) -> int:
    """Begin a split in a process that has everything loaded; `at` "sealed" it ends itself."""
    import components.work.engine  # noqa: F401 (once, for all of them)
    from components.datasplit.request import Request
    from components.datasplit.split_folder import Watcher, split_folder
    from components.datasplit.workspace import Workspace

    child = os.fork()
    if not child:
        status = 1
        try:
            if at == "sealed":
                Workspace.commit = lambda *_: os._exit(0)  # type: ignore[method-assign]
            where = None if output is None else str(output)
            request = Request(
                str(path), where, "0.8", "4", ("train", "test"), 3, "label", "filename", None, False, None
            )
            with redirect_stderr(StringIO()):
                split_folder(request, Watcher(lambda *_: None, lambda *_: None), workers=1)
            status = 0
        finally:
            os._exit(status)
    return child
