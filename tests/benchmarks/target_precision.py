"""Whether the precision that is promised on eval is delivered on test.

`python tests/benchmarks/target_precision.py [--data DIR] [--config F] [--set a.b=value …] [--seeds 5]`: the whole
pipeline once for each seed of split and training; without `--data` on the sample faces. Prints, as Markdown tables:

1. For each seed and `evaluate.target_precision`, of all answers and of each class's: what is answered on eval and test,
   and how much of it is right on test, with 95 % intervals.
2. How often the promise is broken if other evaluation splits are drawn from all that a model was not trained on, whose
   precision above a threshold is then known. These splits didn't decide when training stopped, nor the temperature.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from components.analysis.answers import check_answers
from components.formats.examples import read_labels
from components.scoring.predictions import Predictions, read_split
from components.training.answers import find_threshold, find_thresholds
from components.training.options import AnswerOptions
from pipeline.sample.dataset import GROUP_REGEX, write_sample_data

CONFIDENCE = AnswerOptions().confidence


def predictions(line: list[str], workdir: Path) -> tuple[list[str], Predictions, Predictions]:
    """Run the pipeline; return the classes, and what the model says of eval and of test."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "run", "--workdir", str(workdir), *line],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 3):
        raise SystemExit(done.stdout + done.stderr)

    def newest(component: str, output: str) -> Path:
        return max((workdir / "artifacts" / component / output).iterdir(), key=lambda path: int(path.name))

    labels = read_labels(newest("TFRecordConverter", "labels"))
    dataset = newest("SplitBalanceAugment", "dataset")
    by_split = {"eval": newest("Trainer", "model_run"), "test": newest("Evaluator", "evaluation")}
    splits = (read_split(dataset, split, labels, folder) for split, folder in by_split.items())
    return labels, next(splits), next(splits)


def promise(split: Predictions, labels: list[str], options: AnswerOptions) -> dict:
    """Return what the Trainer promises of a model that says this of eval."""
    found = find_thresholds(
        split.probabilities.astype(np.float32),
        split.labels,
        split.groups.tolist(),
        split.augmented.astype(int).tolist(),
        labels,
        options,
    )
    assert found is not None
    return found


def broken(
    unseen: Predictions, size: int, target: float, repeats: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Draw evaluation splits from these images with replacement, group by group.

    Returns:
        The share of splits whose threshold has a lower precision among all these images than promised, and the share of
        images answered, on average.
    """
    scores, right = unseen.probabilities.max(axis=1), unseen.predicted == unseen.labels
    groups, index = np.unique(unseen.groups, return_inverse=True)
    members = np.split(np.argsort(index, kind="stable"), np.cumsum(np.bincount(index))[:-1])
    number = round(len(groups) * size / len(unseen))
    missed, answered = 0, 0.0
    for _ in range(repeats):
        drawn = [members[one] for one in rng.integers(0, len(groups), number)]
        images = np.concatenate(drawn)
        copies = np.repeat(np.arange(number), [len(one) for one in drawn])  # drawn twice, a group is two
        found = find_threshold(scores[images], right[images], copies, unseen.augmented[images], target, CONFIDENCE)
        if found.score is not None:
            accepted = scores >= found.score
            missed += right[accepted].mean() < target
            answered += accepted.mean() / repeats
    return missed / repeats, answered


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a Markdown table."""
    head = list(head)
    print("|", " | ".join(head), "|")
    print("|" + "---|" * len(head))
    for row in rows:
        print("|", " | ".join(map(str, row)), "|", flush=True)
    print()


def share(score: dict | None, intervals: bool = True) -> str:
    """Return a share as text."""
    if score is None or score["value"] is None:
        return "–"
    return f"{score['value']:.3f}" + (f" ({score['low']:.3f} – {score['high']:.3f})" if intervals else "")


def main() -> None:
    """Run once a seed, print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with train/<label>/; without it, the sample faces")
    parser.add_argument("--config", default="default", help="preset or file")
    parser.add_argument("--set", action="append", default=[], help="further options of the runs")
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--targets", type=float, nargs="+", default=[0.9, 0.95, 0.98], help="precisions to promise")
    parser.add_argument("--repeats", type=int, default=1000, help="evaluation splits drawn for each figure")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    of_tests, of_draws = [], []
    with tempfile.TemporaryDirectory() as folder:
        data, overrides = (
            options.data,
            [*options.set, "evaluate.min_accuracy=0", "evaluate.min_gain=-1", "evaluate.beat_baselines=false"],
        )
        if data is None:
            data = Path(folder) / "faces"
            write_sample_data(data)
            overrides.append(f"split.group_regex='{GROUP_REGEX}'")
        for seed in range(options.seeds):
            line = ["--data", str(data.resolve()), "--config", options.config]
            for override in (*overrides, f"seed={seed}", f"split.seed={seed}"):
                line += ["--set", override]
            labels, evaluation, test = predictions(line, Path(folder) / "run")
            accuracies = [float((one.predicted == one.labels).mean()) for one in (evaluation, test)]
            print(f"seed {seed}: accuracy {accuracies[0]:.3f} on eval, {accuracies[1]:.3f} on test", flush=True)
            unseen = Predictions(
                *(np.concatenate([getattr(one, name) for one in (evaluation, test)]) for name in vars(test))
            )
            for target in options.targets:
                for per_class in (False, True):
                    promised = promise(evaluation, labels, AnswerOptions(precision=target, per_class=per_class))
                    found = check_answers(test, labels, promised)
                    silent = sum(one["score"] is None for one in promised["found"])
                    on_eval = sum(one["answered"] for one in promised["found"]) / len(evaluation)
                    whose = "each class" if per_class else "all"
                    row = [seed, target, whose, f"{silent} of {len(promised['found'])}", f"{on_eval:.3f}"]
                    of_tests.append([*row, share(found["answered"], False), share(found["precision"])])
                missed, answered = broken(unseen, len(evaluation), target, options.repeats, rng)
                of_draws.append([seed, target, f"{answered:.3f}", f"{missed:.3f}"])
    print()
    head = ("seed", "promised", "of", "without a threshold", "answered on eval", "on test", "of these right")
    table(head, of_tests)
    table(("seed", "promised", "answered", f"broken (promised: {1 - CONFIDENCE:.2f} at most)"), of_draws)


if __name__ == "__main__":
    main()
