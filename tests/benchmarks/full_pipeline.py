"""The whole pipeline at AffectNet's size, and at a tenth of it: seconds and peak memory of each component.

`python tests/benchmarks/full_pipeline.py [--images 29042] [--work DIR]`: drawn faces, train balanced, one epoch of
ResNet-18. Memory is the proportional set size of the process and its children, sampled five times a second.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from augment import pss, tree
from rich.console import Console
from rich.table import Table

from pipeline.sample.dataset import AFFECTNET_COUNTS, GROUP_REGEX, write_sample_data

_LINE = re.compile(r"^(\w+) +(?:done|failed) +([\d.]+) s")


def measure(data: Path, workdir: Path) -> dict[str, tuple[float, int]]:
    """Run the pipeline; seconds and peak bytes by component."""
    line = [sys.executable, "-m", "pipeline", "run", "--data", str(data), "--workdir", str(workdir)]
    for setting in (
        "train.epochs=1",
        "train.warmup_epochs=0",
        "evaluate.min_accuracy=0",
        "evaluate.beat_baselines=false",
        f"split.group_regex='{GROUP_REGEX}'",
    ):
        line += ["--set", setting]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    peak, root = 0, psutil.Process(process.pid)

    def watch() -> None:
        nonlocal peak
        while process.poll() is None:
            peak = max(peak, sum(pss(one) for one in tree(root)))
            time.sleep(0.2)

    threading.Thread(target=watch, daemon=True).start()
    found = {}
    assert process.stdout is not None
    for text in process.stdout:
        match = _LINE.match(text)
        if match:
            found[match[1]] = (float(match[2]), peak)
            peak = 0
    if process.wait() not in (0, 3):
        raise SystemExit(f"the pipeline failed: see {workdir}/logs")
    return found


def main() -> None:
    """Draw both data sets, run both, print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=sum(AFFECTNET_COUNTS.values()))
    parser.add_argument("--work", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        sizes = (arguments.images // 10, arguments.images)
        results = []
        for size in sizes:
            data = work / f"faces-{size}"
            if not data.exists():
                write_sample_data(data, size)
            results.append(measure(data, work / f"run-{size}"))
        files = {
            path.relative_to(work / f"run-{sizes[1]}" / "artifacts").parts[:2]: sum(
                f.is_file() for f in path.rglob("*")
            )
            for path in (work / f"run-{sizes[1]}" / "artifacts").glob("[A-Z]*/[a-z]*")
        }
    table = Table(box=None)
    for column in ("component", *(f"{size:,} images" for size in sizes), "ratio", "peak memory", "files"):
        table.add_column(column, justify="left" if column == "component" else "right")
    for node, (seconds, peak) in results[1].items():
        before = results[0][node][0]
        ratio = f"{seconds / before:.1f}" if before >= 1 else "–"
        count = sum(number for (component, _), number in files.items() if component == node)
        table.add_row(node, f"{before:.1f} s", f"{seconds:.1f} s", ratio, f"{peak / 2**20:,.0f} MiB", str(count))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
