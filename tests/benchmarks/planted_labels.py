"""How many wrong labels are found.

`python tests/benchmarks/planted_labels.py [--data DIR] [--config F] [--set a.b=value …]`: gives 5 % of the
images another label (by `data.labels_csv`, so no file is moved), runs the whole pipeline on them, and compares what it
suspects on eval and test, the images that the model was not trained on, with what was planted there; and how many it
says are wrong of the first of its list.
Without `--data` the sample faces are used.
"""

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from components.formats.suspects import expected_wrong
from pipeline.sample.dataset import GROUP_REGEX, write_sample_data


def plant(data: Path, share: float, table: Path) -> set[str]:
    """Write a table of wrong labels for some images, and return their names relative to `data`."""
    files = sorted(path for path in (data / "train").glob("*/*") if not path.name.startswith("."))
    labels = sorted({path.parent.name for path in files})
    rng = random.Random(0)
    chosen = rng.sample(files, round(share * len(files)))
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label"])
        for path in chosen:
            wrong = rng.choice([label for label in labels if label != path.parent.name])
            writer.writerow([path.relative_to(data).as_posix(), wrong])
    return {path.relative_to(data).as_posix() for path in chosen}


def main() -> None:
    """Plant, run, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with train/<label>/; without it, the sample faces")
    parser.add_argument("--config", default="default", help="preset or file")
    parser.add_argument("--share", type=float, default=0.05, help="share of the images that get a wrong label")
    parser.add_argument("--set", action="append", default=[], help="further options of the run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        data, overrides = options.data, [*options.set, "evaluate.min_accuracy=0", "evaluate.beat_baselines=false"]
        if data is None:
            data = work / "faces"
            write_sample_data(data)
            overrides.append(f"split.group_regex='{GROUP_REGEX}'")
        planted = plant(data, options.share, work / "labels.csv")
        line = [sys.executable, "-m", "pipeline", "run", "--data", str(data), "--workdir", str(work / "run")]
        line += ["--config", options.config]
        for override in (*overrides, f"data.labels_csv={work / 'labels.csv'}"):
            line += ["--set", override]
        subprocess.run(line, check=True)
        [analysis] = (work / "run" / "artifacts").glob("PredictionAnalysis/analysis/*")
        rows = json.loads((analysis / "analysis.json").read_text("utf-8"))["suspects"]
        suspected = [row["filename"] for row in rows]
        judged = {row["filename"] for row in pq.read_table(analysis / "predictions.parquet").to_pylist()}
    wrong = planted & judged
    right, first = len(wrong.intersection(suspected)), suspected[:20]
    print(
        f"{len(wrong)} of {len(judged)} images of eval and test have a planted label; {len(suspected)} are suspected, "
        f"{right} of them planted: precision {right / max(1, len(suspected)):.2f}, recall {right / len(wrong):.2f}; "
        f"{len(wrong.intersection(first))} of the first {len(first)}"
    )
    for count in (20, 50, 100):
        found = len(wrong.intersection(suspected[:count]))
        print(f"the first {min(count, len(rows))}: {expected_wrong(rows[:count])} said to be wrong, {found} planted")


if __name__ == "__main__":
    main()
