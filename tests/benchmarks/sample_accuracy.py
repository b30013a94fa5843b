"""How hard the sample faces are: test accuracy of the default run, beside logistic regression on raw pixels.

Both on the same test images, of identities that neither has seen: `python tests/benchmarks/sample_accuracy.py`.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from components.images.codec import decode


def images_of(dataset: Path, split: str) -> tuple[np.ndarray, list[str]]:
    """Raw pixels, one row an image, and labels of a split's originals."""
    rows = [row for path in sorted(dataset.glob(f"{split}-*.parquet")) for row in pq.read_table(path).to_pylist()]
    rows = [row for row in rows if row["copy"] == 0]
    return np.stack([decode(row["image"]).pixels.ravel() for row in rows]).astype(np.float32), [
        row["label"] for row in rows
    ]


def main() -> None:
    """Run the pipeline as `make run-local` does, then fit the regression on its splits."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pipeline", "run", "--workdir", folder], check=True)
        artifacts = Path(folder) / "artifacts"
        [dataset] = artifacts.glob("SplitBalanceAugment/dataset/*")
        [results] = artifacts.glob("Evaluator/evaluation/*/results.json")
        train, test = images_of(dataset, "train"), images_of(dataset, "test")
        # With an L2 penalty, regression on all principal components is regression on the pixels, only faster.
        components = make_pipeline(StandardScaler(), PCA(random_state=0))
        pixels, others = components.fit_transform(train[0]), components.transform(test[0])
        regression = max(
            LogisticRegression(C=c, max_iter=1000).fit(pixels, train[1]).score(others, test[1]) for c in (1e-4, 1e-2)
        )
        accuracy = json.loads(results.read_text("utf-8"))["candidate"]["accuracy"]
    print(
        f"test accuracy on the sample: default run {accuracy:.3f} (at least 0.90), logistic regression "
        f"{regression:.3f} (below 0.60)"
    )
    sys.exit(accuracy < 0.90 or regression >= 0.60)


if __name__ == "__main__":
    main()
