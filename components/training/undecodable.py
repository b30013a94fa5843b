"""Names the image that TensorFlow can't decode, where its own error says only that there is one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import tensorflow as tf

from components.formats.examples import ENCODED, ID

_FEATURES = {name: tf.io.FixedLenFeature([], tf.string, "") for name in (ENCODED, ID)}


@contextmanager
def naming_undecodable(files: Sequence[str]) -> Iterator[None]:
    """Look for an image that can't be decoded when what is done inside fails on its input.

    Args:
        files: TFRecords with the images in question; read once more if need be.

    Raises:
        ValueError: there is such an image; the message has its id.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        if (name := _first_undecodable(files)) is None:
            raise
        raise ValueError(
            f"TensorFlow can't decode {name}: ingest the data again, or take the file out of the data folder"
        ) from error


def _first_undecodable(files: Sequence[str]) -> str | None:
    for record in tf.data.TFRecordDataset(list(files), compression_type="GZIP"):
        example = tf.io.parse_single_example(record, _FEATURES)
        try:
            tf.io.decode_image(example[ENCODED], expand_animations=False)
        except tf.errors.InvalidArgumentError:
            return str(example[ID].numpy().decode() or "an image without an id")
    return None
