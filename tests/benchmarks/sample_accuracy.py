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
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from components.images.codec import decode


def images_of(dataset: Path, split: str) -> tuple[np.ndarray, list[str]]:
    """Raw pixels, one row an image, and labels of a split's originals."""
    rows = [row for path in sorted(dataset.glob(f"{split}-*.parquet")) for row in pq.read_table(path).to_pylist()]
    rows = [row for row in rows if row["copy"] == 0]
    return np.stack([decode(row["image"]).pixels.ravel()[::3] for row in rows]).astype(np.float32), [
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
        model = make_pipeline(StandardScaler(), LogisticRegression(C=1e-4, max_iter=60))
        regression = model.fit(*train).score(*test)
        accuracy = json.loads(results.read_text("utf-8"))["candidate"]["accuracy"]
    print(
        f"test accuracy on the sample: default run {accuracy:.3f} (at least 0.90), logistic regression {regression:.3f}"
    )


if __name__ == "__main__":
    main()
