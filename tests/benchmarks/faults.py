"""A campaign of faults: kinds, how often each was tried, survived, and lost or wrong; and what digests cost.

    python tests/benchmarks/faults.py [--scale 1.0] [--only runs splits …] [--run WORKDIR]

Each kind is what a machine or a person does: a kill at a random moment, two at once, a bit that flips, a file that is
gone, a disk without room. `--run` names a finished run whose artifacts are damaged (as copies); without it one is made.
Disks are small tmpfs, which takes rights to mount. All kinds take about half an hour on two cores.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from faults_of_files import damaged_checkpoints, damaged_records, flipped_bits, full_disks
from faults_of_processes import kills_of_runs, kills_of_splits
from faults_tally import Tally, as_table
from two_pushes import bucket, pushed_at_once, write_models
from whole_pipeline import run

from pipeline.lineage.files import FILES, damage_of, record_of
from pipeline.lineage.mlmd_store import open_store
from pipeline.lineage.runs import size_of
from pipeline.lineage.store import Id, LineageStore
from pipeline.sample.dataset import write_sample_data

Kind = Callable[[Path], Iterator[Tally]]


def main(scale: float, only: list[str], workdir: Path | None) -> None:
    """Print a row as each kind ends, then the table."""
    chance = random.Random(0)

    def times(count: int) -> int:
        return max(1, round(count * scale))

    with tempfile.TemporaryDirectory() as folder:
        finished = workdir or Path(folder, "finished", "work")
        kinds: dict[str, Kind] = {
            "runs": lambda place: kills_of_runs(place, times(10), chance),
            "splits": lambda place: kills_of_splits(place, times(100), chance),
            "pushes": lambda place: two_pushes(place, times(200)),
            "flips": lambda place: flipped_bits(finished, place, times(400), chance),
            "checkpoints": lambda place: damaged_checkpoints(place, times(3000), chance),
            "records": lambda place: damaged_records(finished, place, times(200), chance),
            "disks": full_disks,
        }
        chosen = only or list(kinds)
        if workdir is None and {"flips", "records"} & {*chosen}:
            write_sample_data(finished.parent / "faces", 240)
            done = run(finished.parent / "faces", finished)
            assert done.status == 0, done.text
        tallies: list[Tally] = []
        for name in chosen:
            place = Path(folder, name)
            place.mkdir()
            for tally in kinds[name](place):
                tallies.append(tally)
                wrong = (f"{count} × {what}" for what, count in Counter(tally.wrong).most_common(5))
                print(f"{tally.fault}: {tally.survived} of {tally.tried}", *wrong, sep="\n  ", flush=True)
        print(f"\n{as_table(tallies)}")
        if finished.exists():
            print(f"\n{costs(finished)}")


def two_pushes(place: Path, times: int) -> Iterator[Tally]:
    """Push two models at once under one number."""
    write_models(place)
    for kind in ("a folder", "an object store"):
        tally = Tally(f"two pushes at once to {kind}", "both models stand, each whole")
        if kind == "a folder":
            wrong = pushed_at_once(times, place, str(place / "served"))
        else:
            with bucket() as served:
                wrong = pushed_at_once(times, place, served)
        tally.wrong = [f"{what}: {count}" for what, count in wrong.items() for _ in range(count)]
        tally.tried, tally.survived = times, times - min(times, len(tally.wrong))
        yield tally


def costs(workdir: Path) -> str:
    """Return what digests cost each component of the latest run that executed any, in CPU seconds.

    A local run takes digests of what a component makes; a task on Kubeflow of what it takes as well.
    """
    store = open_store(str(workdir / "metadata.db"))
    lines = ["| component | s | MB made | CPU s | share | MB taken and made | CPU s | share |", f"|{'---|' * 8}"]
    executed = [one for run in store.runs() for one in store.executions_of(run) if one.state == "COMPLETE"]
    total = [0.0] * 5
    for execution in sorted(executed, key=lambda one: one.created):
        seconds = (execution.updated - execution.created) / 1000
        figures = [seconds, *_digesting(store, execution.id)]
        total = [sum(pair) for pair in zip(total, figures, strict=True)]
        lines.append(_row(execution.component, figures))
    return "\n".join([*lines, _row("all", total)])


def _row(name: str, figures: list[float]) -> str:
    seconds, made, making, both, taking = figures
    cells = (f"{size / 1e6:.1f} | {cost:.3f} | {cost / seconds:.1%}" for size, cost in ((made, making), (both, taking)))
    return f"| {name} | {seconds:.1f} | {' | '.join(cells)} |"


def _digesting(store: LineageStore, execution: Id) -> tuple[float, float, float, float]:
    """Return bytes and CPU seconds of what an execution makes, and of that with what it takes."""
    made, making, taken, taking = 0.0, 0.0, 0.0, 0.0
    for event in store.events_of_executions([execution]):
        [artifact] = store.artifacts([event.artifact])
        if (size := size_of(artifact.uri)) is None:
            continue
        recorded = {FILES: record_of(artifact.uri)}
        began = time.process_time()
        if event.is_input:
            damage_of(artifact.uri, recorded)
            taken, taking = taken + size, taking + time.process_time() - began
        else:
            record_of(artifact.uri)
            made, making = made + size, making + time.process_time() - began
    return made, making, made + taken, making + taking


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of trials (default: 1)")
    parser.add_argument("--only", nargs="*", default=[], help="kinds (default: all)")
    parser.add_argument("--run", type=Path, help="the workdir of a finished run (default: one is made)")
    given = parser.parse_args()
    main(given.scale, given.only, given.run)
