"""Small image data sets as the trainer gets them: gzip TFRecords of tf.Example with a label map beside them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.images.options import ImageOptions
from components.training.decoding import decode_image
from components.training.input import ImageData


def encode(pixels: NDArray[Any], extension: str = ".png") -> bytes:
    """RGB or grey pixels to encoded bytes."""
    ordered = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    return bytes(cv2.imencode(extension, ordered)[1])


def draw_shapes(count: int, size: int = 32, seed: int = 0) -> tuple[list[bytes], NDArray[Any]]:
    """Discs, squares and crosses of random colour and place on a noisy ground: encoded images and labels 0–2."""
    rng = np.random.default_rng(seed)
    images, labels = [], np.arange(count) % 3
    for label in labels:
        pixels = rng.integers(0, 80, (size, size, 3)).astype(np.uint8)
        colour = tuple(int(value) for value in rng.integers(120, 256, 3))
        x, y = (int(value) for value in rng.integers(size // 3, 2 * size // 3, 2))
        r = size // 4
        if label == 0:
            cv2.circle(pixels, (x, y), r, colour, -1)
        elif label == 1:
            cv2.rectangle(pixels, (x - r, y - r), (x + r, y + r), colour, 2)
        else:
            cv2.line(pixels, (x - r, y - r), (x + r, y + r), colour, 2)
            cv2.line(pixels, (x - r, y + r), (x + r, y - r), colour, 2)
        images.append(encode(pixels))
    return images, labels


SHAPES = ImageOptions(height=32, width=32)


def shapes(count: int, seed: int) -> ImageData:
    """The drawn shapes as a split that is held in memory."""
    encoded, labels = draw_shapes(count, seed=seed)
    images = tf.stack([decode_image(tf.constant(data), SHAPES) for data in encoded])
    return ImageData((), labels.astype(np.int64), SHAPES, images)


def write_records(path: Path, images: Sequence[bytes], labels: Sequence[int] | NDArray[Any]) -> Path:
    """Write one shard."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for index, (image, label) in enumerate(zip(images, labels, strict=True)):
            writer.write(example(image, int(label), f"{path.parent.name}/{path.stem}-{index}.png"))
    return path


def example(image: bytes, label: int = 0, name: str = "0.png") -> bytes:
    """One serialized tf.Example."""
    features = {
        "image/id": tf.train.Feature(bytes_list=tf.train.BytesList(value=[name.encode()])),
        "image/encoded": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image])),
        "image/class/label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def write_examples(
    root: Path,
    splits: Mapping[str, tuple[Sequence[bytes], NDArray[Any]]],
    labels: Sequence[str],
    shards: int = 2,
) -> Path:
    """Write an Examples artifact's payload: `Split-<name>/data_tfrecord-*.gz` and `label_map.json`."""
    for split, (images, ids) in splits.items():
        for shard in range(shards):
            path = root / f"Split-{split}" / f"data_tfrecord-{shard:05d}-of-{shards:05d}.gz"
            write_records(path, images[shard::shards], ids[shard::shards])
    (root / "label_map.json").write_text(json.dumps({"labels": list(labels)}))
    return root


def shapes_examples(root: Path, train: int = 96, evaluation: int = 24, size: int = 32) -> Path:
    """Write the shapes as an Examples artifact of three classes."""
    splits = {
        "train": draw_shapes(train, size, seed=0),
        "eval": draw_shapes(evaluation, size, seed=1),
        "test": draw_shapes(evaluation, size, seed=2),
    }
    return write_examples(root, splits, ["circle", "square", "cross"])
