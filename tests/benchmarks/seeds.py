"""How well a data set is learnt, and how much of that is luck: several trainings, judged on one test split.

`python tests/benchmarks/seeds.py [--data DIR] [--config F] [--set a.b=value …] [--seeds 3]`: the whole pipeline once
for each seed of training; data, split and copies stay the same. Without `--data` the sample faces, with `--data digits`
scikit-learn's handwritten digits. Prints test accuracy and macro-F1 with their 95 % intervals, the calibration error
before and after the temperature, and the seconds. With `--against CHECKOUT`, the folder of another revision of this
project, each seed is trained by both in turn, and the ratio of the seconds printed.
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


def run(line: list[str], checkout: Path, workdir: Path) -> tuple[dict[str, Any], float]:
    """Run the pipeline of a checkout; the analysis of the test split, and the seconds of the Trainer."""
    line = [sys.executable, "-m", "pipeline", "run", "--workdir", str(workdir), *line]
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=checkout)
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
    parser.add_argument("--against", type=Path, help="folder of another revision, which trains in turn")
    options = parser.parse_args()
    here = Path(__file__).resolve().parents[2]
    revisions = {"this": here} if options.against is None else {"other": options.against.resolve(), "this": here}
    table = Table("revision", "seed", "accuracy", "macro-F1", "calibration error", "training", "whole run", box=None)
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in revisions}
    with tempfile.TemporaryDirectory() as folder:
        line = ["--config", options.config]
        overrides = [*options.set, "evaluate.min_accuracy=0", "evaluate.min_gain=-1", "evaluate.beat_baselines=false"]
        if options.data == "digits":
            line += ["--data", str(write_digits(Path(folder) / "digits"))]
            overrides += ["image.height=32", "image.width=32", "train.augment.flip=false"]
        elif options.data:
            line += ["--data", str(Path(options.data).resolve())]
        for seed in range(options.seeds):
            sets = [part for override in (*overrides, f"seed={seed}") for part in ("--set", override)]
            for name, checkout in revisions.items():
                started = time.monotonic()
                test, seconds = run([*line, *sets], checkout, Path(folder) / name)
                values = {metric: test["metrics"][metric]["value"] for metric in ("accuracy", "macro_f1")}
                rows[name].append(values | {"seconds": seconds})
                cells = ["{value:.3f} ({low:.3f}–{high:.3f})".format(**test["metrics"][metric]) for metric in values]
                errors = f"{test['calibration']['error_before']:.3f} → {test['calibration']['error']:.3f}"
                taken = f"{time.monotonic() - started:.0f} s"
                table.add_row(name, str(seed), *cells, errors, f"{seconds:.0f} s", taken)
    means = {
        name: {key: statistics.mean(row[key] for row in found) for key in found[0]} for name, found in rows.items()
    }
    for name, mean in means.items():
        table.add_row(
            name, "mean", f"{mean['accuracy']:.3f}", f"{mean['macro_f1']:.3f}", "", f"{mean['seconds']:.0f} s"
        )
    Console(width=120).print(table)
    if "other" in means:
        ratio = means["this"]["seconds"] / means["other"]["seconds"]
        print(f"training takes {ratio:.2f} of the other revision's time")


if __name__ == "__main__":
    main()
