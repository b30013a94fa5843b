"""What helps classes of few images: `train.imbalance`, and copies, on drawn shapes of 700 : 1.

`python tests/benchmarks/imbalance.py [--seeds 3] [--epochs 8] [--methods none sqrt …] [--bounds 0 5 20 none]`: eight
shapes at 32×32, 2,100 of the most frequent and 3 of the rarest, each seed with its own pictures. For each bound on the
copies of an image (0: no copies, none: no bound) and each method a ResNet-18 of three blocks is trained on as many
pictures, copies among them, as the epochs without copies have, and judged on 100 new pictures of each shape:

- balanced accuracy, the mean of the classes' recalls, and that of the three rarest classes;
- accuracy, the mean weighted by the classes' shares in train: always saying the largest class gives 0.608.

`rise` is by how much the training loss rose at most from an epoch to the next. About a minute a training on two cores.
"""

import argparse
import hashlib
import os
import sys
import time
from itertools import pairwise
from pathlib import Path
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from unbalanced_shapes import COUNTS, SIZE, draw_shapes

from components.augment.augmenter import Augmenter
from components.images.options import ImageOptions
from components.models import resnets
from components.split.plan import Rules, exact, make_plan
from components.training.flips import classifier
from components.training.input import ImageData
from components.training.options import ModelOptions, TrainOptions
from components.training.precision import choose_precision, cpu_flags, find_devices
from components.training.preparation import predict_logits
from components.training.settings import Settings
from components.training.training import Training

IMAGE = ImageOptions(height=SIZE, width=SIZE)
JUDGED = 100  # pictures of each class
RARE = 3  # classes
METHODS = ("none", "effective", "sqrt", "logit_adjustment")
FIGURES = ("balanced accuracy", "of the rarest", "accuracy", "rise", "seconds")


def split(counts: tuple[int, ...] | list[int], seed: int, bound: int | None = 0) -> ImageData:
    """Draw a split; with copies, as SplitBalanceAugment makes them."""
    images, labels = draw_shapes(counts, seed)
    if bound == 0:
        return ImageData((), labels, IMAGE, tf.constant(images))
    digests = [hashlib.sha256(image.tobytes()).hexdigest() for image in images]
    plan = make_plan(
        Rules({"train": exact(1)}, ("train",), exact(1), 27, bound),
        labels=[str(label) for label in labels],
        digests=digests,
        ids=digests,
        groups=digests,
    )
    augmenter, copies = Augmenter(27), plan.copies_of.tolist()
    made = [copy for of in zip(images, digests, copies, strict=True) for copy in augmenter.copies(*of)]
    labels = np.concatenate([labels, np.repeat(labels, copies)])
    return ImageData((), labels, IMAGE, tf.constant(np.stack([*images, *made])))


def judged(train: ImageData, method: str, epochs: int, seed: int) -> dict[str, float]:
    """Train once and return the figures."""
    evaluation = split([max(1, count // 7) for count in COUNTS], 1000 + seed)
    test = split([JUDGED] * len(COUNTS), 2000 + seed)
    epochs = max(1, round(epochs * sum(COUNTS) / len(train)))
    options = TrainOptions.model_validate({"imbalance": method, "epochs": epochs, "warmup_epochs": min(1, epochs - 1)})
    settings = Settings(ModelOptions(stem="imagenet"), options, IMAGE, seed=seed)
    precision, _ = choose_precision("auto", find_devices(), cpu_flags())
    started = time.monotonic()
    with Path(os.devnull).open("w") as nowhere, mock.patch.object(sys, "stdout", nowhere):
        trained = Training(settings, train, evaluation, len(COUNTS), precision=precision).run()
    seconds = time.monotonic() - started
    found = predict_logits(classifier(trained.model, True), test, len(COUNTS), 64).argmax(axis=1)
    recalls: NDArray[np.float64] = np.array([np.mean(found[test.labels == c] == c) for c in range(len(COUNTS))])
    losses = [row["loss"] for row in trained.history]
    return {
        "balanced accuracy": float(recalls.mean()),
        "of the rarest": float(recalls[-RARE:].mean()),
        "accuracy": float(np.average(recalls, weights=COUNTS)),
        "rise": max((after - before for before, after in pairwise(losses)), default=0.0),
        "seconds": seconds,
    }


def main() -> None:
    """Print a row of a Markdown table for each bound and method: the mean, and the values of the seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--epochs", type=int, default=8, help="of a training without copies")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS, help="of train.imbalance")
    parser.add_argument("--bounds", nargs="+", default=["0"], help="copies of an image at most; none: any number")
    chosen = parser.parse_args()
    resnets.BLOCKS["resnet18"] = ("basic", (1, 1, 1))  # type: ignore[assignment]  # a third of the time
    print("| " + " | ".join(("copies", "images", "method", *FIGURES)) + " |\n" + "|---" * (3 + len(FIGURES)) + "|")
    for bound in chosen.bounds:
        trains = [split(COUNTS, seed, None if bound == "none" else int(bound)) for seed in range(chosen.seeds)]
        for method in chosen.methods:
            rows = [judged(train, method, chosen.epochs, seed) for seed, train in enumerate(trains)]
            cells = []
            for name in FIGURES:
                values = [row[name] for row in rows]
                each = ", ".join(f"{value:.3f}" for value in values)
                cells.append(f"{np.mean(values):.3f}" + (f" ({each})" if name != "seconds" else ""))
            print("| " + " | ".join((bound, f"{len(trains[0]):,}", method, *cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
