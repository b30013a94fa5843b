"""TFRecord shards to batches for `fit`.

A training batch is (N×H×W×C float32 in 0–255, N×classes float32 targets, N float32 weights). What it holds is a
function of (seed, epoch, step) alone, so training can go on from any epoch as if it had never stopped.

tf.data's autotuning stays off: at the end of an iterator it lets the process wait for its background thread for up to
several seconds. The parallelism is set explicitly instead.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.formats.examples import AUGMENTED, DISTRIBUTION, ENCODED, GROUP, ID, LABEL, SHA256, WEIGHT
from components.images.options import ImageOptions
from components.training.augmentation import draw
from components.training.batch import Drawn, finish
from components.training.decoding import decode_image
from components.training.imbalance import correction_of
from components.training.options import TrainOptions
from components.training.undecodable import naming_undecodable

PARALLEL_FILES = 4
SHUFFLE_WINDOW = 8192  # encoded images; only for data that doesn't fit into memory
ALIGNMENT = 64  # bytes
MEMORY_SHARE = 0.4  # of the memory available, for the decoded images
FEATURES = {
    ENCODED: tf.io.FixedLenFeature([], tf.string),
    LABEL: tf.io.FixedLenFeature([], tf.int64),
}
_GRADES = {
    WEIGHT: tf.io.FixedLenFeature([], tf.float32, 1.0),
    DISTRIBUTION: tf.io.FixedLenSequenceFeature([], tf.float32, allow_missing=True),
}
_FACTS = {name: tf.io.FixedLenFeature([], tf.string, "") for name in (ID, SHA256, GROUP)} | _GRADES
_FACTS[AUGMENTED] = tf.io.FixedLenFeature([], tf.int64, 0)


@dataclass(frozen=True)
class ImageData:
    """A split in record order.

    Attributes:
        files: TFRecords.
        labels: [N] int64; of labels that were voted on, the class with the most votes.
        image: size and channels.
        images: N×H×W×C uint8; None where they don't fit into memory.
        ids: of the images; `digests`, hex, of their source files; `groups`, equal for images that aren't independent;
            `copies`, 1 for an augmented copy, else 0; none of these for data that isn't from files.
        shares: N×classes float32, the labels' distributions times the images' weights, to train on in place of
            `labels`; None where all labels are alike.
    """

    files: tuple[str, ...]
    labels: NDArray[Any]
    image: ImageOptions
    images: tf.Tensor | None
    ids: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    copies: tuple[int, ...] = ()
    shares: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def size(self) -> int | None:
        """Bytes of the decoded images; None where they don't fit into memory."""
        return None if self.images is None else math.prod(self.images.shape)


def list_files(patterns: Sequence[str]) -> tuple[str, ...]:
    """Expand the file patterns that TFX hands over, in a fixed order.

    Raises:
        FileNotFoundError: no file matches.
    """
    files = tuple(sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern)))
    if not files:
        raise FileNotFoundError(f"There are no TFRecord files to train on. Received: {list(patterns)}")
    return files


def read_split(
    files: Sequence[str], image: ImageOptions, memory: int | None = None, count: int | None = None
) -> ImageData:
    """Read a split once: its labels, ids and digests and, where they fit into memory, its images.

    Args:
        files: TFRecords.
        image: size and channels.
        memory: bytes that the images may take; None: a share of what is free.
        count: number of examples; None: they are counted first, which takes another read.

    Raises:
        ValueError: the split is empty, holds another number of examples, or an image that can't be decoded.
    """
    if count is None:
        count = int(_records(files).reduce(np.int64(0), lambda number, _: number + 1).numpy())
    if not count:
        raise ValueError(f"The split has no images. Received: {list(files)}")
    fits = count * image.height * image.width * image.channels <= (
        available_memory() * MEMORY_SHARE if memory is None else memory
    )
    pixels = aligned_empty((count if fits else 0, image.height, image.width, image.channels))
    facts: dict[str, list[Any]] = {name: [] for name in (LABEL, *_FACTS)}
    start = 0
    parsed = _records(files).map(lambda record: _parse(record, image if fits else None), parallelism()).batch(16)
    with naming_undecodable(files):
        for found, images in without_autotuning(parsed).as_numpy_iterator():
            start += len(found[LABEL])
            if start > count:
                break
            if fits:
                pixels[start - len(images) : start] = images
            for name, values in facts.items():
                values.extend(found[name].tolist())
    if start != count:
        raise ValueError(f"A split of {count} images holds {'more' if start > count else start}: {list(files)}")
    # Not `tf.constant`: it copies into a pool of oneDNN's, which the process never gives back.
    tensor = tf.experimental.dlpack.from_dlpack(pixels.__dlpack__()) if fits else None
    ids, digests, groups = (tuple(value.decode() for value in facts[name]) for name in (ID, SHA256, GROUP))
    labels, copies = np.array(facts[LABEL], np.int64), tuple(facts[AUGMENTED])
    distributions = np.array(facts[DISTRIBUTION], np.float32)
    shares = distributions * np.array(facts[WEIGHT], np.float32)[:, np.newaxis] if distributions.size else None
    return ImageData(tuple(files), labels, image, tensor, ids, digests, groups, copies, shares)


def aligned_empty(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return an uninitialized array that TensorFlow can use as it lies, whose kernels require alignment."""
    size = math.prod(shape)
    buffer = np.empty(size + ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % ALIGNMENT
    return buffer[start : start + size].reshape(shape)


def steps_per_epoch(data: ImageData, batch_size: int) -> int:
    """Count the full batches of an epoch; a remainder is left to the next one, which is shuffled again."""
    return max(1, len(data) // batch_size)


def training_batches(
    data: ImageData, classes: int, options: TrainOptions, seed: int, first_epoch: int = 0
) -> tf.data.Dataset:
    """Return the batches of the epochs from `first_epoch` on, one after the other."""
    correction = correction_of(data.labels, data.shares, classes, options)
    drawn = drawn_batches(data, options, seed, tf.data.Dataset.range(first_epoch, options.epochs))
    batches = drawn.map(lambda batch: finish(batch, options, correction), parallelism()).prefetch(2)
    remaining = (options.epochs - first_epoch) * steps_per_epoch(data, min(options.batch_size, len(data)))
    return without_autotuning(batches.take(remaining).apply(tf.data.experimental.assert_cardinality(remaining)))


def drawn_batches(
    data: ImageData, options: TrainOptions, seed: int, epochs: tf.data.Dataset, *, numbers: bool = False
) -> tf.data.Dataset:
    """Return the batches of the epochs as `Drawn`, with the numbers of the images in place of their pixels if asked."""
    batch_size = min(options.batch_size, len(data))
    if data.images is None:
        batches = _streamed_batches(data, batch_size, seed, epochs)
    else:
        batches = _memory_batches(data, batch_size, seed, epochs, numbers)

    steps = steps_per_epoch(data, batch_size)

    def with_draws(key: tf.Tensor, identities: tf.Tensor, images: tf.Tensor, labels: tf.Tensor) -> Drawn:
        return Drawn(images, labels, draw(identities, options, seed, key // steps, key))

    return batches.map(with_draws, parallelism())


def evaluation_batches(data: ImageData, classes: int, batch_size: int) -> tf.data.Dataset:
    """Return each image of the split once, in record order, as (float32 images, one-hot targets)."""
    batches = labelled_batches(data, batch_size)
    batches = batches.map(lambda x, y: (tf.cast(x, tf.float32), tf.one_hot(y, classes)), parallelism()).prefetch(2)
    return without_autotuning(batches)


def labelled_batches(data: ImageData, batch_size: int, *, numbers: bool = False) -> tf.data.Dataset:
    """Return each image of the split once, in record order, as (uint8 images or their numbers, labels)."""
    if data.images is not None:
        images, labels = data.images, tf.constant(data.labels)
        batches = tf.data.Dataset.range(len(data)).batch(batch_size)
        batches = batches.map(
            lambda index: (index if numbers else tf.gather(images, index), tf.gather(labels, index)), parallelism()
        )
    else:
        batches = _records(data.files).map(lambda record: _parse_image(record, data.image), parallelism())
        batches = batches.batch(batch_size)
    return batches.apply(tf.data.experimental.assert_cardinality(-(-len(data) // batch_size)))


def without_autotuning(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Return the dataset with its parallelism as it was set, and its order."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.deterministic = True
    options.threading.private_threadpool_size = parallelism()
    return dataset.with_options(options)


def parallelism() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0))


def available_memory(group: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the bytes of memory that are free: the machine's, or what the limit of the container's group leaves."""
    values = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    free = int(values["MemAvailable"].split()[0]) * 1024
    try:
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
        used_for = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        cached = sum(int(used_for[name]) for name in ("active_file", "inactive_file"))  # given back on demand
        return free if limit == "max" else min(free, max(0, int(limit) - used + cached))
    except (OSError, ValueError, KeyError):
        return free


def _memory_batches(
    data: ImageData, batch_size: int, seed: int, epochs: tf.data.Dataset, numbers: bool
) -> tf.data.Dataset:
    images, count = data.images, len(data)
    labels = tf.constant(data.labels if data.shares is None else data.shares)
    steps = steps_per_epoch(data, batch_size)

    def epoch_indices(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(
            tf.range(count), tf.stack([tf.constant(seed, tf.int64), epoch])
        )
        order = tf.reshape(order[: steps * batch_size], (steps, batch_size))
        return tf.data.Dataset.from_tensor_slices((epoch * steps + tf.range(steps, dtype=tf.int64), order))

    indices = epochs.flat_map(epoch_indices)
    return indices.map(
        lambda key, index: (key, index, index if numbers else tf.gather(images, index), tf.gather(labels, index)),
        num_parallel_calls=parallelism(),
    )


def _streamed_batches(data: ImageData, batch_size: int, seed: int, epochs: tf.data.Dataset) -> tf.data.Dataset:
    steps = steps_per_epoch(data, batch_size)
    classes = None if data.shares is None else data.shares.shape[1]

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        files = tf.random.experimental.stateless_shuffle(
            tf.constant(data.files), tf.stack([tf.constant(seed, tf.int64), epoch])
        )
        # Shuffled files, interleaved, then shuffled in windows. `Dataset.shuffle` takes no tensor as a seed.
        windows = _records(files).batch(SHUFFLE_WINDOW).enumerate(epoch * 2**32)
        records = windows.map(
            lambda key, window: tf.random.experimental.stateless_shuffle(
                window, tf.stack([tf.constant(seed, tf.int64), key])
            )
        )
        parsed = records.unbatch().map(
            lambda record: (_identity(record), *_parse_image(record, data.image, classes)),
            num_parallel_calls=parallelism(),
        )
        keys = tf.data.Dataset.range(epoch * steps, (epoch + 1) * steps)
        batches = tf.data.Dataset.zip((keys, parsed.batch(batch_size, drop_remainder=True)))
        return batches.map(lambda key, batch: (key, *batch))

    return epochs.flat_map(epoch_batches)


def _records(files: Sequence[str] | tf.Tensor) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(tf.convert_to_tensor(files)).interleave(
        lambda file: tf.data.TFRecordDataset(file, compression_type="GZIP"),
        cycle_length=PARALLEL_FILES,
        num_parallel_calls=PARALLEL_FILES,
        deterministic=True,
    )


def _parse(record: tf.Tensor, image: ImageOptions | None) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """Return what is known of an example, and its picture, or nothing where no options are given."""
    example = tf.io.parse_single_example(record, FEATURES | _FACTS)
    pixels = tf.zeros((0,), tf.uint8) if image is None else decode_image(example[ENCODED], image)
    return {name: example[name] for name in (LABEL, *_FACTS)}, pixels


def _identity(record: tf.Tensor) -> tf.Tensor:
    return tf.strings.to_hash_bucket_fast(record, 2**62)


def _parse_image(record: tf.Tensor, image: ImageOptions, classes: int | None = None) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the picture and its label, or the shares of so many classes in it."""
    example = tf.io.parse_single_example(record, FEATURES if classes is None else FEATURES | _GRADES)
    label = example[LABEL]
    if classes is not None:
        label = tf.ensure_shape(example[DISTRIBUTION] * example[WEIGHT], (classes,))
    return decode_image(example[ENCODED], image), label
