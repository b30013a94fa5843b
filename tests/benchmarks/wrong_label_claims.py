"""How many labels are wrong of those that a list says are.

`python tests/benchmarks/wrong_label_claims.py [--data DIR] [--seeds N]`: gives images another label, any one or always
that of the next class, lets scikit-learn's models learn from these labels in three folds, and holds what the list says
of its first 50 and 100 against what was planted there. On digits as they are (easy) and under noise (hard); with
`--data` also on the photos of a folder `train/<label>/`, by HOG and colour, which is hard.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from components.analysis.suspects import about_suspects, find_suspects
from components.formats.suspects import expected_wrong
from components.scoring.predictions import Predictions

_FIRST = (50, 100)
_MODELS = {
    "linear": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, C=0.05)),
    "network": lambda: make_pipeline(StandardScaler(), MLPClassifier((64,), max_iter=60, alpha=0.1, random_state=0)),
}
_Data = tuple[NDArray[np.float64], NDArray[np.int64]]


def data_sets(folder: Path | None) -> Iterator[tuple[str, _Data]]:
    """Yield names, features and right labels."""
    images, truth = load_digits(return_X_y=True)
    yield "digits", (images, truth)
    yield "digits under noise", (images + np.random.default_rng(7).normal(size=images.shape) * 8, truth)
    if folder is not None:
        yield folder.name, _photos(folder)


def _photos(folder: Path) -> _Data:
    hog = cv2.HOGDescriptor((64, 64), (16, 16), (8, 8), (8, 8), 9)
    files = sorted((folder / "train").glob("*/*"))
    names = sorted({file.parent.name for file in files})
    rows = []
    for file in files:
        pixels = cv2.resize(cv2.imread(str(file)), (64, 64))
        colours = cv2.calcHist([pixels], [0, 1, 2], None, [4, 4, 4], [0, 256] * 3).ravel() / pixels.shape[0] ** 2
        rows.append(np.concatenate([hog.compute(pixels).ravel(), 3 * np.sqrt(colours)]))
    labels = np.array([names.index(file.parent.name) for file in files])
    return PCA(150, random_state=0).fit_transform(np.array(rows)), labels


def plant(truth: NDArray[np.int64], share: float, kind: str, seed: int) -> NDArray[np.int64]:
    """Return labels of which so many are wrong."""
    rng = np.random.default_rng(seed)
    classes = int(truth.max()) + 1
    given = truth.copy()
    chosen = rng.choice(len(truth), round(share * len(truth)), replace=False)
    step = 1 if kind == "next class" else rng.integers(1, classes, len(chosen))
    given[chosen] = (truth[chosen] + step) % classes
    return given


def main() -> None:
    """Plant, learn, count; print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with train/<label>/")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print("| data | model | planted | accuracy | listed | said, found of 50 | of 100 |\n|---|---|---|---|---|---|---|")
    for name, (features, truth) in data_sets(options.data):
        for model, make in _MODELS.items():
            for share, kind in ((0.0, ""), (0.05, "any class"), (0.1, "any class"), (0.1, "next class")):
                accuracies, listed = [], []
                said, found = np.zeros(len(_FIRST)), np.zeros(len(_FIRST))
                for seed in range(options.seeds if share else 1):
                    given = plant(truth, share, kind, seed)
                    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
                    probabilities = cross_val_predict(make(), features, given, cv=folds, method="predict_proba")
                    ids = np.arange(len(given)).astype(str)
                    held_out = {"test": Predictions(probabilities, given, ids, ids, np.zeros(len(given), bool))}
                    rows = find_suspects(held_out, [str(label) for label in range(int(truth.max()) + 1)])
                    accuracies.append(about_suspects(held_out, 0)["accuracy"])
                    listed.append(len(rows))
                    wrong = [given[int(row["filename"])] != truth[int(row["filename"])] for row in rows]
                    said += [expected_wrong(rows[:count]) for count in _FIRST]
                    found += [sum(wrong[:count]) for count in _FIRST]
                runs = len(listed)
                cells = [f"{a / runs:.0f}, {b / runs:.0f}" for a, b in zip(said, found, strict=True)]
                planted = f"{100 * share:.0f} %{f', {kind}' if kind else ''}"
                print(
                    f"| {name} | {model} | {planted} | {np.mean(accuracies):.2f} | {np.mean(listed):.0f} | "
                    f"{' | '.join(cells)} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
