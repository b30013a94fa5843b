"""A SavedModel that has certain images right and all others wrong, and a run of the Evaluator with it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tfx.types import standard_artifacts

from components.evaluator.executor import EvaluatorExecutor
from components.evaluator.options import EvaluateOptions
from components.formats.artifacts import Analysis, ImageDataset
from components.formats.dataset import ImageRow, shard_name, write_shard
from components.formats.predictions import write_predictions
from components.tfrecord.executor import Executor as ConvertExecutor
from components.tools.files import read_json, write_json


class _KnownAnswers(tf.Module):
    def __init__(self, right: Sequence[str], classes: int) -> None:
        super().__init__()
        self.right, self.classes = ["-", *right], classes

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        features = {
            "image/key/sha256": tf.io.FixedLenFeature([], tf.string),
            "image/class/label": tf.io.FixedLenFeature([], tf.int64),
        }
        parsed = tf.io.parse_example(examples, features)
        is_right = tf.reduce_any(parsed["image/key/sha256"][:, tf.newaxis] == tf.constant(self.right), axis=1)
        label = parsed["image/class/label"]
        return {"probabilities": tf.one_hot(tf.where(is_right, label, (label + 1) % self.classes), self.classes)}


def image(name: str, label: str, split: str, metadata: Mapping[str, str] | None, group: str = "") -> ImageRow:
    """Return an image of one byte, whose digest is its name."""
    said = None if metadata is None else tuple(metadata.items())
    place = (name, None, 0.0, group or name, name, 0, name)
    return ImageRow(name, label, split, b"x", "png", 1, 1, 3, name, *place, metadata=said)


def known_answers(right: Sequence[str], labels: Sequence[str], folder: Path) -> Any:
    """Save a model."""
    module = _KnownAnswers(right, len(labels))
    target = folder / "Format-Serving"
    tf.saved_model.save(module, str(target), signatures={"serve_examples": module.serve_examples})
    (target / "assets.extra").mkdir()
    write_json({"labels": sorted(labels)}, target / "assets.extra" / "label_map.json")
    model = standard_artifacts.Model()
    model.uri = str(folder)
    return model


def convert(rows: Mapping[str, Sequence[ImageRow]], folder: Path) -> dict[str, Any]:
    """Write a split data set, and return what TFRecordConverter makes of it."""
    dataset = ImageDataset()
    dataset.uri = str(folder / "dataset")
    Path(dataset.uri).mkdir(parents=True)
    for split, images in rows.items():
        write_shard(images, Path(dataset.uri) / shard_name(split, 0, 1))
    made: dict[str, Any] = {"examples": standard_artifacts.Examples(), "labels": Analysis(), "groups": Analysis()}
    for name, artifact in made.items():
        artifact.uri = str(folder / name)
    labels = sorted({row.label for row in rows["test"]})
    made["baselines"] = Analysis()
    made["baselines"].uri = str(_beaten_baselines(rows["test"], labels, folder / "baselines"))
    ConvertExecutor().Do({"dataset": [dataset]}, {name: [made[name]] for name in ("examples", "labels", "groups")}, {})
    return made


def _beaten_baselines(test: Sequence[ImageRow], labels: Sequence[str], folder: Path) -> Path:
    """Write what SimpleBaselines would leave if its linear model were never right; it can't read images of one byte."""
    folder.mkdir()
    wrong = [(labels.index(row.label) + 1) % len(labels) for row in test]
    write_predictions([row.id for row in test], np.eye(len(labels), dtype=np.float32)[wrong], folder)
    shares = ("accuracy", "balanced_accuracy", "macro_f1")
    metrics = {key: {"value": 0.0, "low": 0.0, "high": 0.1} for key in shares}
    found: dict[str, Any] = {name: {"metrics": metrics} for name in ("largest_class", "linear_model")}
    found["largest_class"]["label"] = labels[0]
    write_json(found, folder / "baselines.json")
    return folder


def evaluate(made: Mapping[str, Any], model: Any, folder: Path, **options: Any) -> tuple[dict[str, Any], bool, Any]:
    """Run TFX's Evaluator without a pushed model; return its results, whether it blessed, and the artifact."""
    evaluation, blessing, baseline = (
        standard_artifacts.ModelEvaluation(),
        standard_artifacts.ModelBlessing(),
        standard_artifacts.Model(),
    )
    evaluation.uri, blessing.uri = str(folder / "evaluation"), str(folder / "blessing")
    baseline.uri = str(folder / "empty")
    EvaluatorExecutor().Do(
        {
            "groups": [made["groups"]],
            "baselines": [made["baselines"]],
            "examples": [made["examples"]],
            "model": [model],
            "baseline_model": [baseline],
        },
        {"evaluation": [evaluation], "blessing": [blessing]},
        {"evaluate": EvaluateOptions(**options).model_dump_json()},
    )
    blessed = [path.name for path in (folder / "blessing").iterdir()] == ["BLESSED"]
    return read_json(folder / "evaluation" / "results.json"), blessed, evaluation
