"""How long `inspect` takes on a store of 1,000 runs of three components: `python tests/benchmarks/inspect_store.py`."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from store_builder import StoreBuilder


def main() -> None:
    """Write the store, then time whole commands."""
    with tempfile.TemporaryDirectory() as folder:
        builder = StoreBuilder(Path(folder) / "metadata.db")
        for number in range(1000):
            builder.run(f"run-{number}", Path(folder) / "artifacts", config={"train": {"epochs": number}})
        for words in (["runs"], ["executions"], ["artifacts"], ["lineage", "artifact:1"], ["diff", "run-1", "run-2"]):
            command = [sys.executable, "-m", "pipeline", "inspect", *words, "--workdir", folder]
            seconds = []
            for _ in range(5):
                started = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                seconds.append(time.perf_counter() - started)
            print(f"inspect {' '.join(words):<24} {statistics.median(seconds):6.2f} s (median of {len(seconds)})")


if __name__ == "__main__":
    main()
