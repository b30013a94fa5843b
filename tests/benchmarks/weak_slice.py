"""Whether a weak slice is found, and kept from being pushed.

`python tests/benchmarks/weak_slice.py [--images N] [--set a.b=value …]`: draws the sample faces as three cameras saw
them, one of them out of focus and in the dark, runs the whole pipeline with a table that names the cameras, and expects
that this camera is the worst slice and that the model isn't pushed because of it (exit status 3).
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "support"))

from weak_camera import WEAK, write_weak_camera

from pipeline.sample.dataset import GROUP_REGEX


def main() -> None:
    """Draw, run, look."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2400, help="sample faces to draw, of which two in five stay")
    parser.add_argument("--workdir", type=Path, help="where to leave the run; without it, nowhere")
    parser.add_argument("--set", action="append", default=[], help="further options of the run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = write_weak_camera(Path(folder), options.images)
        workdir = options.workdir or Path(folder) / "run"
        line = [sys.executable, "-m", "pipeline", "run", "--data", f"{folder}/faces", "--workdir", str(workdir)]
        overrides = [
            f"split.group_regex='{GROUP_REGEX}'",
            f"data.metadata_csv={table}",
            "image.height=64",
            "image.width=64",
            "evaluate.min_slice_accuracy=0.7",
            *options.set,
        ]
        for override in overrides:
            line += ["--set", override]
        status = subprocess.run(line, check=False).returncode
        [results] = workdir.glob("artifacts/Evaluator/evaluation/*/results.json")
        found = json.loads(results.read_text("utf-8"))
    for row in found["slices"]["rows"]:
        print(
            f"{row['slice']}: {row['accuracy']:.3f} ({row['low']:.3f} – {row['high']:.3f}) of {row['examples']} images"
        )
    print(found["slices"]["text"])
    print(*(failure["text"] for failure in found["failures"]), sep="\n")
    sys.exit(found["slices"]["worst"]["values"] != [WEAK] or status != 3)


if __name__ == "__main__":
    main()
