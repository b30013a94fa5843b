"""How well a data set is learnt, and how much of that is luck: several trainings, judged on one test split.

`python tests/benchmarks/seeds.py [--data DIR] [--config F] [--set a.b=value …] [--seeds 3]`: the whole pipeline once
for each seed of training; data, split and copies stay the same. Without `--data` the sample faces, with `--data digits`
scikit-learn's handwritten digits. Prints test accuracy and macro-F1 with their 95 % intervals, the calibration error
before and after the temperature, and the seconds.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits


def write_digits(folder: Path) -> Path:
    """1,797 images of 8×8 pixels, four times as large, in a folder a digit."""
    digits = load_digits()
    for number, (image, target) in enumerate(zip(digits.images, digits.target, strict=True)):
        place = folder / "train" / str(target)
        place.mkdir(parents=True, exist_ok=True)
        large = cv2.resize((image * 255 / 16).astype("uint8"), (32, 32), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(place / f"{number:04d}.png"), large)
    return folder


def run(line: list[str], workdir: Path) -> tuple[dict[str, Any], float]:
    """Run the pipeline; the analysis of the test split, and the seconds of the Trainer."""
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stdout + done.stderr)
    newest = max((workdir / "artifacts" / "PredictionAnalysis" / "analysis").iterdir(), key=lambda path: int(path.name))
    seconds = re.search(r"^Trainer +\w+ +([\d.]+) s", done.stdout, re.MULTILINE)
    assert seconds is not None
    return json.loads((newest / "analysis.json").read_text("utf-8"))["test"], float(seconds[1])


def main() -> None:
    """Run once a seed, print a row each and the mean."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder with train/<label>/, or digits; without it, the sample faces")
    parser.add_argument("--config", default="default", help="preset or file")
    parser.add_argument("--set", action="append", default=[], help="further options of the runs")
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    options = parser.parse_args()
    table = Table("seed", "accuracy", "macro-F1", "calibration error", "training", "whole run", box=None)
    found: dict[str, list[float]] = {"accuracy": [], "macro_f1": []}
    with tempfile.TemporaryDirectory() as folder:
        workdir = Path(folder) / "run"
        overrides = [*options.set, "evaluate.min_accuracy=0", "evaluate.min_gain=-1"]
        line = [sys.executable, "-m", "pipeline", "run", "--workdir", str(workdir), "--config", options.config]
        if options.data == "digits":
            line += ["--data", str(write_digits(Path(folder) / "digits"))]
            overrides += ["image.height=32", "image.width=32", "train.augment.flip=false"]
        elif options.data:
            line += ["--data", options.data]
        for seed in range(options.seeds):
            started = time.monotonic()
            sets = [part for override in (*overrides, f"seed={seed}") for part in ("--set", override)]
            test, seconds = run([*line, *sets], workdir)
            for name, values in found.items():
                values.append(test["metrics"][name]["value"])
            cells = ["{value:.3f} ({low:.3f}–{high:.3f})".format(**test["metrics"][name]) for name in found]
            errors = f"{test['calibration']['error_before']:.3f} → {test['calibration']['error']:.3f}"
            table.add_row(str(seed), *cells, errors, f"{seconds:.0f} s", f"{time.monotonic() - started:.0f} s")
    table.add_row("mean", *(f"{statistics.mean(values):.3f}" for values in found.values()))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
