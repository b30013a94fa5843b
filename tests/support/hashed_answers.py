"""A small data set, and SavedModels whose answers follow from the images' digests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tfx.types import standard_artifacts

from components.formats.artifacts import Analysis, ImageDataset
from components.formats.dataset import ImageRow, read_columns, shard_name, write_shard
from components.formats.predictions import write_predictions
from components.tfrecord.executor import Executor as ConvertExecutor
from components.tools.files import write_json

LABELS = ("cat", "dog", "<b>emu</b>")
_COUNTS = {"train": (2, 2, 2), "eval": (1, 1, 1), "test": (30, 20, 4)}


def make_examples(folder: Path) -> tuple[Any, ...]:
    """A data set whose images are a few random bytes: the model below never looks at them."""
    dataset = ImageDataset()
    dataset.uri = str(folder / "dataset")
    Path(dataset.uri).mkdir(parents=True)
    number = 0
    for split, counts in _COUNTS.items():
        rows = []
        for label, count in zip(LABELS, counts, strict=True):
            for _ in range(count):
                number += 1
                name = f"{number}.png"
                rows.append(
                    ImageRow(
                        name, label, split, b"x", "png", 1, 1, 3, f"{number}", name, None, 0.0, name, name, 0, name
                    )
                )
        write_shard(rows, Path(dataset.uri) / shard_name(split, 0, 1))
    examples = standard_artifacts.Examples()
    examples.uri = str(folder / "examples")
    labels, groups = Analysis(), Analysis()
    labels.uri, groups.uri = str(folder / "labels"), str(folder / "groups")
    made = {"examples": [examples], "labels": [labels], "groups": [groups]}
    ConvertExecutor().Do({"dataset": [dataset]}, made, {})
    return dataset, examples, groups


class _Fixed(tf.Module):
    """Probabilities from a hash of the image's digest, leaning towards the right class; sure of what was seen."""

    def __init__(self, salt: int, lean: float, seen: Sequence[str], further: Sequence[str]) -> None:
        super().__init__()
        self.salt, self.lean, self.seen, self.further = salt, lean, ["-", *seen], further

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(
            examples,
            {
                "image/key/sha256": tf.io.FixedLenFeature([], tf.string),
                "image/class/label": tf.io.FixedLenFeature([], tf.int64),
            },
        )
        columns = [
            tf.strings.to_hash_bucket_strong(parsed["image/key/sha256"], 1000, [self.salt, column])
            for column in range(len(LABELS))
        ]
        noise = tf.cast(tf.stack(columns, axis=-1), tf.float32) / 250.0
        known = tf.reduce_any(parsed["image/key/sha256"][:, tf.newaxis] == tf.constant(self.seen), axis=1)
        lean = tf.where(known, 100.0, self.lean)
        truth = tf.one_hot(parsed["image/class/label"], len(LABELS)) * lean[:, tf.newaxis]
        probabilities = tf.nn.softmax(noise + truth)
        score = tf.reduce_max(probabilities, axis=1)
        further = {
            "label": tf.gather(sorted(LABELS), tf.argmax(probabilities, axis=1)),
            "score": score,
            "accepted": score > 0.5,
        }
        return {"probabilities": probabilities, **{name: further[name] for name in self.further}}


def make_baselines(folder: Path, dataset: Any, right: int = 0) -> Any:
    """What SimpleBaselines would leave of images that can be decoded: its linear model has some of them right."""
    labels = sorted(LABELS)
    table = read_columns(Path(dataset.uri), "test", ["id", "label"]).to_pydict()
    truth = np.array([labels.index(label) for label in table["label"]])
    said = np.where(np.arange(len(truth)) < right, truth, (truth + 1) % len(labels))
    shares = {"largest_class": 30 / 54, "linear_model": right / 54}
    metrics = {
        name: {key: {"value": share, "low": 0.0, "high": 1.0} for key in ("accuracy", "balanced_accuracy", "macro_f1")}
        for name, share in shares.items()
    }
    baselines = Analysis()
    baselines.uri = str(folder)
    folder.mkdir()
    write_predictions(table["id"], np.eye(len(labels), dtype=np.float32)[said], folder)
    found: dict[str, Any] = {name: {"metrics": one} for name, one in metrics.items()}
    found["largest_class"]["label"] = "cat"
    write_json(found, folder / "baselines.json")
    return baselines


def make_model(
    folder: Path, salt: int = 1, lean: float = 1.0, seen: Sequence[str] = (), further: Sequence[str] = ()
) -> Any:
    module = _Fixed(salt, lean, seen, further)
    target = folder / "Format-Serving"
    tf.saved_model.save(module, str(target), signatures={"serve_examples": module.serve_examples})
    (target / "assets.extra").mkdir()
    write_json({"labels": sorted(LABELS)}, target / "assets.extra" / "label_map.json")
    model = standard_artifacts.Model()
    model.uri = str(folder)
    return model


def predictions(model: Any, examples: Any) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities of the test split, straight from the model."""
    files = [str(path) for path in Path(examples.uri, "Split-test").glob("*.gz")]
    records = list(tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator())
    loaded = tf.saved_model.load(str(Path(model.uri) / "Format-Serving"))
    probabilities = loaded.signatures["serve_examples"](tf.constant(records))["probabilities"].numpy()
    labels = [
        tf.train.Example.FromString(record).features.feature["image/class/label"].int64_list.value[0]
        for record in records
    ]
    return np.array(labels), probabilities
