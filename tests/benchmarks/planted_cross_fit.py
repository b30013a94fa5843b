"""How many wrong labels are found among all images by cross-fitting, and how many by a single training.

`python tests/benchmarks/planted_cross_fit.py [--data DIR] [--folds K] [--set a.b=value …]`: gives 5 % of the images
another label, runs the pipeline once with one training, whose suspects are among eval and test, and once more with
folds, whose suspects are among all images; and compares both with what was planted among all. Without `--data` the
sample faces are used.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
from planted_labels import plant

from pipeline.sample.dataset import GROUP_REGEX, write_sample_data

# What is counted is the analysis, however good the model.
_BLESSED = ("evaluate.min_accuracy=0", "evaluate.min_gain=-1", "evaluate.beat_baselines=false")


def main() -> None:
    """Plant, run twice, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with train/<label>/; without it, the sample faces")
    parser.add_argument("--config", default="default", help="preset or file")
    parser.add_argument("--folds", type=int, default=5, help="number of folds")
    parser.add_argument("--share", type=float, default=0.05, help="share of the images that get a wrong label")
    parser.add_argument("--workdir", type=Path, help="empty folder to keep the runs in; without it, a temporary one")
    parser.add_argument("--set", action="append", default=[], help="further options of the runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = options.workdir or Path(folder)
        data, overrides = options.data, [*options.set, *_BLESSED]
        if data is None:
            data = work / "faces"
            write_sample_data(data)
            overrides.append(f"split.group_regex='{GROUP_REGEX}'")
        planted = plant(data, options.share, work / "labels.csv")
        overrides.append(f"data.labels_csv={work / 'labels.csv'}")
        for folds in (0, options.folds):
            line = [sys.executable, "-m", "pipeline", "run", "--data", str(data), "--workdir", str(work / "run")]
            line += ["--config", options.config, "--set", f"evaluate.folds={folds}"]
            for override in overrides:
                line += ["--set", override]
            subprocess.run(line, check=True)
            print(_count(_newest(work / "run" / "artifacts"), planted, folds), flush=True)


def _newest(artifacts: Path) -> Path:
    return max(artifacts.glob("PredictionAnalysis/analysis/*"), key=lambda path: int(path.name))


def _count(analysis: Path, planted: set[str], folds: int) -> str:
    findings = json.loads((analysis / "analysis.json").read_text("utf-8"))
    suspected = [row["filename"] for row in findings["suspects"]]
    judged = {row["filename"] for row in pq.read_table(analysis / "predictions.parquet").to_pylist()}
    right = len(planted.intersection(suspected))
    first = ", ".join(f"{len(planted.intersection(suspected[:count]))} of the first {count}" for count in (20, 40, 80))
    of_test = findings["test"]["metrics"]["accuracy"]["value"]
    text = (
        f"{folds or 'no'} folds: {len(planted & judged)} of {len(planted)} planted labels are among the {len(judged)} "
        f"images that are looked at; {len(suspected)} are suspected, {right} of them planted: precision "
        f"{right / max(1, len(suspected)):.2f}, {first}, recall of all planted {right / len(planted):.2f}; "
        f"test accuracy {of_test:.3f}"
    )
    return f"{text}\n{findings['cross_fit']['text']}" if folds else text


if __name__ == "__main__":
    main()
