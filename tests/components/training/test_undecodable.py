"""An image that TensorFlow can't decode, as an older revision kept them, has its name in the error."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from trainer_examples import encode

from components.formats.examples import ENCODED, ID, LABEL
from components.images.options import ImageOptions
from components.training.input import read_split
from components.training.undecodable import naming_undecodable

WHOLE = encode(np.full((32, 32, 3), 100, np.uint8))


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    path = str(tmp_path / "data.gz")
    with tf.io.TFRecordWriter(path, "GZIP") as writer:
        for number, data in enumerate([WHOLE, WHOLE, WHOLE[:-2] + bytes(20), WHOLE]):
            texts = {ENCODED: data, ID: f"train/sad/{number}.jpg".encode()}
            feature = {
                name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[text])) for name, text in texts.items()
            }
            feature[LABEL] = tf.train.Feature(int64_list=tf.train.Int64List(value=[0]))
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
    return [path]


def test_reading_a_split_names_it(files: list[str]) -> None:
    with pytest.raises(ValueError, match=r"can't decode train/sad/2\.jpg: ingest the data again"):
        read_split(files, ImageOptions(height=32, width=32))


def test_another_error_of_the_input_stays_what_it_is(tmp_path: Path) -> None:
    path = str(tmp_path / "data.gz")
    with tf.io.TFRecordWriter(path, "GZIP"):
        pass

    with pytest.raises(tf.errors.InvalidArgumentError, match="something else"), naming_undecodable([path]):
        raise tf.errors.InvalidArgumentError(None, None, "something else")
