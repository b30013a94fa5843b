"""What each part of the recipe is worth: it, and it with one part changed, trained for equally long.

`python tests/benchmarks/ablation.py [--data DIR] [--config F] [--set a.b=value …] [--seeds 1] [--only NAME …]`: the
pipeline makes the examples once, then each variant trains for as many epochs as take as long as the recipe's (by the
speed of two epochs before), and is judged on test, without and with mirror images. Without `--data` the sample faces;
about two minutes a variant on two cores.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table
from sklearn.metrics import f1_score

from components.training import augmentation
from components.training.flips import classifier
from components.training.input import list_files, read_split
from components.training.options import TrainOptions
from components.training.preparation import Prepared, predict_logits, prepare
from components.training.settings import Settings
from components.training.training import Trained
from pipeline.config.loading import load

LARGE = {"rotation": 15.0, "zoom": 0.15, "shift": 0.08, "contrast": 0.4}
SGD = {"optimizer": "sgd", "learning_rate": 0.05, "nesterov": True, "weight_decay": 0.0005}

# Changed options of `train` (or of `model`), by variant.
OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "the recipe": {},
    "batches of 64": {"train": {"batch_size": 64}},
    "batches of 16": {"train": {"batch_size": 16, "learning_rate": 0.002}},
    "larger turns, shifts, contrasts": {"train": {"augment": LARGE}},
    "no smaller images at first": {"train": {"size_schedule": []}},
    "80 % at two thirds of the size": {"train": {"size_schedule": [[0.8, 0.667]]}},
    "small stem": {"model": {"stem": "small"}},
    "Nesterov's SGD": {"train": SGD},
    "no label smoothing": {"train": {"label_smoothing": 0.0}},
    "mixup": {"train": {"mixup": 0.2}},
    "flips by chance": {},
    "beta_2 of 0.999": {"train": {"beta_2": 0.999}},
    "beta_2 of 0.99": {"train": {"beta_2": 0.99}},
}


def by_chance(identities: tf.Tensor, seed: int, epoch: tf.Tensor) -> tf.Tensor:
    """Mirror half of the images of every epoch."""
    words = tf.strings.join([tf.strings.as_string(identities), tf.strings.as_string(epoch)], "/")
    return tf.equal(tf.strings.to_hash_bucket_strong(words, 2, key=[seed, 0]), 1)


PATCHES: dict[str, Any] = {
    "flips by chance": (augmentation, "alternate", by_chance),
}


def changed(settings: Settings, variant: str, **train: Any) -> Settings:
    """Return the settings of a variant."""
    changes = OPTIONS[variant]
    train_options = {**settings.train.model_dump(), **changes.get("train", {}), **train}
    if "augment" in changes.get("train", {}):
        train_options["augment"] = {**settings.train.augment.model_dump(), **changes["train"]["augment"]}
    model = type(settings.model).model_validate({**settings.model.model_dump(), **changes.get("model", {})})
    return replace(settings, model=model, train=TrainOptions.model_validate(train_options))


def train(prepared: Prepared, settings: Settings) -> Trained:
    """Train without showing the epochs."""
    with Path(os.devnull).open("w") as nowhere, mock.patch.object(sys, "stdout", nowhere):
        return prepared.with_settings(settings).training("ablation").run()


def seconds_per_epoch(prepared: Prepared, settings: Settings, variant: str) -> float:
    """Measure an epoch of full size, and those of a schedule, and average over the epochs."""
    schedule = [*changed(settings, variant).train.size_schedule, (1.0, 1.0)]
    total, before = 0.0, 0.0
    for share, size in schedule:
        whole = [[0.99, size]] if size < 1.0 else []
        short = changed(settings, variant, epochs=2, warmup_epochs=0, head_epochs=0, size_schedule=whole)
        total += (share - before) * train(prepared, short).history[1]["seconds"]
        before = share
    return total


def main() -> None:
    """Print a row a variant."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder with train/<label>/; without it, the sample faces")
    parser.add_argument("--config", default="default", help="preset or file")
    parser.add_argument("--set", action="append", default=[], help="further options")
    parser.add_argument("--seeds", type=int, default=1, help="how many")
    parser.add_argument("--only", action="append", choices=list(OPTIONS), help="these variants, beside the recipe")
    chosen = parser.parse_args()
    config = load(chosen.config, chosen.set)
    table = Table("variant", "epochs", "s an epoch", "accuracy", "with mirror images", "macro-F1", box=None)
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, "-m", "pipeline", "run", "--workdir", folder, "--config", chosen.config]
        line += ["--data", chosen.data] if chosen.data else []
        quick = ["train.epochs=1", "train.warmup_epochs=0", "train.head_epochs=0", "evaluate.min_accuracy=0"]
        quick.append("evaluate.beat_baselines=false")
        for override in (*chosen.set, *quick):
            line += ["--set", override]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
        [examples] = (Path(folder) / "artifacts").glob("TFRecordConverter/examples/*")
        splits = {split: [f"{examples}/Split-{split}/*"] for split in ("train", "eval", "test")}
        settings = Settings(config.model, config.train, config.image)
        prepared = prepare(settings, str(examples), splits["train"], splits["eval"])
        test = read_split(list_files(splits["test"]), config.image)
        budget = settings.train.epochs * seconds_per_epoch(prepared, settings, "the recipe")
        for variant in ["the recipe", *(name for name in OPTIONS if name in (chosen.only or list(OPTIONS)[1:]))]:
            with ExitStack() as stack:
                if variant in PATCHES:
                    stack.enter_context(mock.patch.object(*PATCHES[variant]))
                seconds = seconds_per_epoch(prepared, settings, variant)
                epochs = max(2, round(budget / seconds))
                rows = []
                for seed in range(chosen.seeds):
                    model = train(prepared, replace(changed(settings, variant, epochs=epochs), seed=seed)).model
                    both = [
                        predict_logits(classifier(model, flips), test, len(prepared.labels), 64).argmax(axis=1)
                        for flips in (False, True)
                    ]
                    right = [float(np.mean(found == test.labels)) for found in both]
                    rows.append([*right, float(f1_score(test.labels, both[1], average="macro"))])
            figures = (f"{value:.3f}" for value in np.mean(rows, axis=0))
            table.add_row(variant, str(epochs), f"{seconds:.1f}", *figures)
            Console(width=120).print(table)


if __name__ == "__main__":
    main()
