"""From Parquet shards to TFRecord shards of tf.Example, one for one, in the same order."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from components.formats import examples as features
from components.formats.dataset import SPLITS, ImageRow, read_columns, read_shard, shard_paths
from components.formats.examples import record_name, split_folder, write_labels, write_metadata_columns
from components.formats.nodes import CONVERTER
from components.tools.files import replacing
from components.tools.progress import Progress


def convert(dataset: Path, examples: Path) -> dict[str, int]:
    """Write `Split-<split>/` with gzip TFRecords, and the label map, from a split ImageDataset.

    Label ids are the places of the labels in sorted order, over all splits. The same data set gives the same bytes.

    Args:
        dataset: folder with `train-…`, `eval-…` and `test-…` shards.
        examples: an empty folder.

    Returns:
        Number of examples a split.

    Raises:
        FileNotFoundError: a split has no shards.
    """
    tables = [read_columns(dataset, split, ["label", "weight", "votes", "metadata"]) for split in SPLITS]
    labels = sorted({label for table in tables for label in table["label"].to_pylist()})
    is_graded = any(table[name].null_count < len(table) for table in tables for name in ("weight", "votes"))
    ids = {label: index for index, label in enumerate(labels)}
    counts: dict[str, int] = {}
    for split in SPLITS:
        shards = shard_paths(dataset, split)
        if not shards:
            raise FileNotFoundError(f"no shards of split {split} in {dataset}")
        folder = split_folder(examples, split)
        folder.mkdir(parents=True)
        progress = Progress(CONVERTER, len(shards))
        counts[split] = 0
        for index, shard in enumerate(shards):
            path = folder / record_name(index, len(shards))
            counts[split] += _convert_shard(shard, path, ids, is_graded)
            progress(index + 1, split)
    write_labels(labels, examples, counts)
    write_metadata_columns(_metadata_columns(tables), examples)
    return counts


def example_of(row: ImageRow, ids: Mapping[str, int], is_graded: bool = False) -> tf.train.Example:
    """Return one image as a tf.Example with TensorFlow's own feature names.

    Args:
        row: the image.
        ids: of the classes.
        is_graded: whether the example holds a weight and a distribution, as all of a data set do or none.
    """

    def text(*values: str) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode() for value in values]))

    def number(value: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    def numbers(*values: float) -> tf.train.Feature:
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))

    image = tf.train.Feature(bytes_list=tf.train.BytesList(value=[row.image]))
    values = {
        features.ENCODED: image,
        features.FORMAT: text(row.format),
        features.HEIGHT: number(row.height),
        features.WIDTH: number(row.width),
        features.CHANNELS: number(row.channels),
        features.ID: text(row.id),
        features.FILENAME: text(row.id),
        features.SOURCE_ID: text(row.source_id),
        features.LABEL: number(ids[row.label]),
        features.TEXT: text(row.label),
        features.AUGMENTED: number(int(row.copy > 0)),
        features.SHA256: text(row.sha256),
        features.GROUP: text(row.group),
    }
    if is_graded:
        values[features.WEIGHT] = numbers(1.0 if row.weight is None else row.weight)
        values[features.DISTRIBUTION] = numbers(*distribution_of(row, ids))
    values |= {features.METADATA + name: text(value) for name, value in row.metadata or ()}
    return tf.train.Example(features=tf.train.Features(feature=values))


def distribution_of(row: ImageRow, ids: Mapping[str, int]) -> list[float]:
    """Return the share of each class in an image's label, in the order of ids.

    Shares of classes that are no image's label count for nothing, and a class has all of an image nobody voted on.
    """
    votes = dict(row.votes or {row.label: 1.0})
    shares = [votes.get(label, 0.0) for label in sorted(ids, key=ids.__getitem__)]
    return [share / sum(shares) for share in shares]


def _metadata_columns(tables: Iterable[Any]) -> list[str]:
    """Return the names of the columns of metadata, which all images of a data set have or none."""
    first = next((value for table in tables for value in table["metadata"]), None)
    return [] if first is None else [name for name, _ in first.as_py() or ()]


def _convert_shard(shard: Path, path: Path, ids: Mapping[str, int], is_graded: bool) -> int:
    count = 0
    options = tf.io.TFRecordOptions(compression_type="GZIP")
    with replacing(path) as temporary, tf.io.TFRecordWriter(str(temporary), options) as writer:
        for row in read_shard(shard):
            # Features are a map, whose order is otherwise left to chance.
            writer.write(example_of(row, ids, is_graded).SerializeToString(deterministic=True))
            count += 1
    return count
