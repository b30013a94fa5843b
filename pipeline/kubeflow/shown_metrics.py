"""What Kubeflow's pages show of a run in figures: outputs of compiled pipelines alone. Pure.

A metrics artifact is its metadata: the pages read numbers by name from a `system.Metrics` and `confusionMatrix` from a
`system.ClassificationMetrics` (Kubeflow's `MetricsVisualizations.tsx`, and `kfp.dsl.ClassificationMetrics`). The
components write neither. The compiler adds the outputs, and the entrypoint fills them from the documents that the
components wrote. Nothing takes them, so no pod fetches them.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.formats import nodes
from components.formats.documents import ANALYSIS, RESULTS, TRAINING, Document
from components.tools.files import StrPath

Metadata = dict[str, Any]

# Of a matrix of more, a cell has less than the page's fifteen pixels, and ML Metadata's messages end at 4 MB.
_MOST_CLASSES = 100


@dataclass(frozen=True)
class ShownMetrics:
    """An output for the pages.

    Attributes:
        node: the component that has it.
        type: title of the artifact's type.
        source: output of the same component that it is read from.
        document: in that output.
        describe: from the document's values to the artifact's metadata.
    """

    node: str
    type: str
    source: str
    document: Document
    describe: Callable[[Mapping[str, Any]], Metadata]

    def read(self, folder: StrPath) -> Metadata:
        """Return the artifact's metadata.

        Args:
            folder: of the output `source`.

        Raises:
            FileNotFoundError: the component didn't write the document.
        """
        return self.describe(self.document.read(folder))


def metrics_of(node: str) -> Iterator[tuple[str, str]]:
    """Yield name and type of each output that a component gets for the pages."""
    yield from ((key, shown.type) for key, shown in SHOWN_METRICS.items() if shown.node == nodes.kind_of(node))


def _training(training: Mapping[str, Any]) -> Metadata:
    best: Mapping[str, Any] = next((row for row in training["history"] if row["epoch"] == training["best_epoch"]), {})
    return _numbers(
        eval_accuracy=best.get("val_accuracy"),
        eval_loss=best.get("val_loss"),
        epochs=training["epochs_run"],
        best_epoch=training["best_epoch"],
        images_per_second=training["images_per_second"],
        seconds=training["seconds"],
    )


def _test(results: Mapping[str, Any]) -> Metadata:
    candidate, baseline = results["candidate"], results["baseline"] or {}
    return _numbers(
        test_accuracy=candidate["accuracy"],
        test_balanced_accuracy=candidate["balanced_accuracy"],
        test_macro_f1=candidate["macro_f1"],
        test_images=candidate["examples"],
        **{f"{one['name']}_accuracy": one["metrics"]["accuracy"]["value"] for one in results.get("baselines", [])},
        pushed_model_accuracy=baseline.get("accuracy"),
        blessed=int(results["blessed"]),
    )


def _numbers(**values: float | None) -> Metadata:
    """Return what is a number: the launcher takes no null, and Kubeflow after 2.17 nothing but numbers."""
    return {name: value for name, value in values.items() if value is not None and math.isfinite(value)}


def _confusion(analysis: Mapping[str, Any]) -> Metadata:
    labels = analysis["labels"]
    # Kubeflow after 2.17 refuses such an artifact without metadata.
    shown: Metadata = {"classes": len(labels)}
    if len(labels) <= _MOST_CLASSES:
        shown["confusionMatrix"] = {
            "annotationSpecs": [{"displayName": label} for label in labels],
            "rows": [{"row": row} for row in analysis["test"]["confusion_matrix"]],  # true classes in rows
        }
    return shown


# By the output's name. Releases up to 2.16.1 fetch an input by a bare prefix, so no name begins with that of an output.
SHOWN_METRICS = {
    "training_metrics": ShownMetrics(nodes.TRAINER, "system.Metrics", "model_run", TRAINING, _training),
    "test_metrics": ShownMetrics(nodes.EVALUATOR, "system.Metrics", "evaluation", RESULTS, _test),
    "test_confusion_matrix": ShownMetrics(
        nodes.ANALYSIS, "system.ClassificationMetrics", "analysis", ANALYSIS, _confusion
    ),
}
