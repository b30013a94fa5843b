"""How many of the pairs that look like versions of one picture are.

`python tests/benchmarks/shared_pictures.py --data DIR --group-regex R [--config F] [--set a.b=value …]`: runs the whole
pipeline on images whose groups are known by their names, without telling it, and counts of which pairs across splits
both images are of one group. Of a set of emoji the character is the group, which several styles and skin tones draw.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq


def main() -> None:
    """Run and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/<label>/")
    parser.add_argument("--group-regex", required=True, help="whose first capture in a file's name is the group")
    parser.add_argument("--config", default="default", help="preset or file")
    parser.add_argument("--set", action="append", default=[], help="further options of the run")
    options = parser.parse_args()
    expression = re.compile(options.group_regex)

    def group(name: str) -> str:
        found = expression.search(name.rpartition("/")[2])
        return found[1] if found else name

    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, "-m", "pipeline", "run", "--data", str(options.data), "--workdir", folder]
        line += ["--config", options.config]
        for override in (*options.set, "evaluate.min_accuracy=0", "evaluate.beat_baselines=false"):
            line += ["--set", override]
        subprocess.run(line, check=True)
        [table] = Path(folder, "artifacts").glob("ModelExplanation/explanation/*/near_duplicates.parquet")
        pairs = pq.read_table(table).to_pylist()
    known = sum(group(pair["image"]) == group(pair["other"]) for pair in pairs)
    print(f"{len(pairs)} pairs of images in different splits, {known} of them of one group")


if __name__ == "__main__":
    main()
