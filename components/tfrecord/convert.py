"""From Parquet shards to TFRecord shards of tf.Example, one for one, in the same order."""

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from components.images.manifest import ImageRow, read_columns, read_shard, shard_paths, write_json
from components.options import SPLITS
from components.progress import Progress

LABEL_MAP = "label_map.json"


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
    labels = sorted({label for split in SPLITS for label in read_columns(dataset, split, ["label"])[0].to_pylist()})
    ids = {label: index for index, label in enumerate(labels)}
    counts: dict[str, int] = {}
    for split in SPLITS:
        shards = shard_paths(dataset, split)
        if not shards:
            raise FileNotFoundError(f"no shards of split {split} in {dataset}")
        folder = examples / f"Split-{split}"
        folder.mkdir(parents=True)
        progress = Progress("TFRecordConverter", len(shards))
        counts[split] = 0
        for index, shard in enumerate(shards):
            path = folder / f"data_tfrecord-{index:05d}-of-{len(shards):05d}.gz"
            counts[split] += _convert_shard(shard, path, ids)
            progress(index + 1, split)
    write_json({"labels": labels}, examples / LABEL_MAP)
    return counts


def example_of(row: ImageRow, ids: Mapping[str, int]) -> tf.train.Example:
    """One image as a tf.Example with TensorFlow's own feature names."""

    def text(*values: str) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode() for value in values]))

    def number(value: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    image = tf.train.Feature(bytes_list=tf.train.BytesList(value=[row.image]))
    features = {
        "image/encoded": image,
        "image/format": text(row.format),
        "image/height": number(row.height),
        "image/width": number(row.width),
        "image/channels": number(row.channels),
        "image/filename": text(row.id),
        "image/source_id": text(row.source_id),
        "image/class/label": number(ids[row.label]),
        "image/class/text": text(row.label),
        "image/augmented": number(int(row.copy > 0)),
        "image/key/sha256": text(row.sha256),
        "image/group": text(row.group),
    }
    return tf.train.Example(features=tf.train.Features(feature=features))


def _convert_shard(shard: Path, path: Path, ids: Mapping[str, int]) -> int:
    temporary = path.with_name(f".{path.name}.tmp")
    count = 0
    with tf.io.TFRecordWriter(str(temporary), tf.io.TFRecordOptions(compression_type="GZIP")) as writer:
        for row in read_shard(shard):
            # Features are a map, whose order is otherwise left to chance.
            writer.write(example_of(row, ids).SerializeToString(deterministic=True))
            count += 1
    temporary.replace(path)
    return count
