"""From Examples of train and eval to Examples of folds: the same serialized examples, in other files."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import tensorflow as tf

from components.formats.examples import (
    AUGMENTED,
    GROUP,
    ID,
    SHA256,
    TEXT,
    read_labels,
    record_name,
    split_folder,
    write_labels,
)
from components.formats.folds import split_name
from components.split.folds import divide_into_folds
from components.tools.files import replacing

# Test is for the model that is pushed, and stays out of this.
_DIVIDED = ("train", "eval")


@dataclass(frozen=True)
class _Facts:
    """What is known of an example beside its picture."""

    id: str
    split: str
    label: str
    group: str
    sha256: str
    is_copy: bool


def divide(examples: Path, target: Path, folds: int, seed: int) -> tuple[pa.Table, dict[str, int]]:
    """Write the examples of train and eval by fold, with the label map.

    Args:
        examples: with splits train and eval.
        target: an empty folder.
        folds: how many.
        seed: decides which image goes where.

    Returns:
        The table that `write_folds` takes, and the number of examples of each split.

    Raises:
        ValueError: there are too few images for that many folds.
    """
    facts = [_facts(record, split) for split in _DIVIDED for record in _records(examples, split)]
    places = divide_into_folds(
        [one.label for one in facts],
        [one.sha256 for one in facts],
        [one.id for one in facts],
        [one.group for one in facts],
        [one.is_copy for one in facts],
        folds,
        seed,
    ).tolist()
    names = [split_name(fold, half, one.is_copy) for one, (fold, half) in zip(facts, places, strict=True)]
    _write((record for split in _DIVIDED for record in _records(examples, split)), names, target)
    counts = {name: names.count(name) for name in sorted(set(names))}
    write_labels(read_labels(examples), target, counts)
    rows = [
        {"id": one.id, "split": one.split, "label": one.label, "fold": fold + 1}
        for one, (fold, _) in zip(facts, places, strict=True)
        if not one.is_copy
    ]
    return pa.Table.from_pylist(sorted(rows, key=lambda row: str(row["id"]))), counts


def _write(records: Iterator[bytes], names: Sequence[str], target: Path) -> None:
    options = tf.io.TFRecordOptions(compression_type="GZIP")
    with ExitStack() as open_files:
        writers = {}
        for name in sorted(set(names)):
            split_folder(target, name).mkdir(parents=True)
            path = open_files.enter_context(replacing(split_folder(target, name) / record_name(0, 1)))
            writers[name] = open_files.enter_context(tf.io.TFRecordWriter(str(path), options))
        for record, name in zip(records, names, strict=True):
            writers[name].write(record)


def _records(examples: Path, split: str) -> Iterator[bytes]:
    files = sorted(map(str, split_folder(examples, split).glob("*.gz")))
    yield from tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator()


def _facts(record: bytes, split: str) -> _Facts:
    features = tf.train.Example.FromString(record).features.feature

    def text(name: str) -> str:
        return str(features[name].bytes_list.value[0].decode())

    is_copy = bool(features[AUGMENTED].int64_list.value[0])
    return _Facts(text(ID), split, text(TEXT), text(GROUP), text(SHA256), is_copy)
