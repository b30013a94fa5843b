"""What the tasks of a run fetch on Kubeflow, where the launcher copies each input as a whole: bytes, task by task.

    affect run --workdir runs/mine --set train.epochs=1
    python tests/benchmarks/fetched.py runs/mine

Counted from a finished local run, whose components take and make the same; of a workdir that any revision left.
"""

import sys
from pathlib import Path

from pipeline.lineage.mlmd_store import open_store
from pipeline.lineage.runs import find_run, size_of

_LARGE = 100_000  # bytes; an input that is named


def fetched(workdir: Path) -> dict[str, dict[str, int]]:
    """Return the bytes of each input of each component, by name, of the latest run of a workdir."""
    store = open_store(str(workdir / "metadata.db"))
    executions = {one.id: one.component for one in store.executions_of(find_run(store, "latest"))}
    events = [event for event in store.events_of_executions(executions) if event.is_input]
    places = {one.id: one.uri for one in store.artifacts({event.artifact for event in events})}
    found: dict[str, dict[str, int]] = {component: {} for component in executions.values()}
    for event in events:
        found[executions[event.execution]][event.key] = size_of(places[event.artifact]) or 0
    return found


def main() -> None:
    """Print a row a task, the large inputs by name, and what all of them fetch."""
    total = 0
    for component, inputs in fetched(Path(sys.argv[1])).items():
        size = sum(inputs.values())
        total += size
        large = ", ".join(f"{key} {number:,}" for key, number in sorted(inputs.items()) if number >= _LARGE)
        print(f"fetched, {component:<22} {size:>13,} bytes{f'  ({large})' if large else ''}")
    print(f"fetched, {'all tasks':<22} {total:>13,} bytes")


if __name__ == "__main__":
    main()
