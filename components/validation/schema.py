"""The schema that the data is held to: made from the label map and the options, never inferred from what it judges."""

from collections.abc import Sequence

from tensorflow_metadata.proto.v0 import schema_pb2

from components.formats.examples import (
    AUGMENTED,
    CHANNELS,
    DISTRIBUTION,
    ENCODED,
    FILENAME,
    FORMAT,
    GROUP,
    HEIGHT,
    ID,
    LABEL,
    METADATA,
    SHA256,
    SOURCE_ID,
    TEXT,
    WEIGHT,
    WIDTH,
)

# What TFDV computes statistics of, beside the metadata. Encoded bytes and unique names would only cost time.
STATISTICS = (LABEL, TEXT, FORMAT, HEIGHT, WIDTH, CHANNELS, AUGMENTED)
_NOT_IN_STATISTICS = {
    **dict.fromkeys((ENCODED, ID, FILENAME, SOURCE_ID, SHA256, GROUP), schema_pb2.BYTES),
    **dict.fromkeys((WEIGHT, DISTRIBUTION), schema_pb2.FLOAT),
}


def make_schema(labels: Sequence[str], max_pixels: int) -> schema_pb2.Schema:
    """Return the schema of our tf.Examples.

    Args:
        labels: class names in the order of their ids.
        max_pixels: no side of an image may be longer.
    """
    schema = schema_pb2.Schema()
    _integer(schema, LABEL, 0, len(labels) - 1, categorical=True)
    _text(schema, TEXT, labels)
    _text(schema, FORMAT, ("jpeg", "png", "bmp"))
    _integer(schema, HEIGHT, 1, max_pixels)
    _integer(schema, WIDTH, 1, max_pixels)
    _integer(schema, CHANNELS, 1, 3)
    _integer(schema, AUGMENTED, 0, 1)
    for name, kind in _NOT_IN_STATISTICS.items():
        feature = schema.feature.add(name=name, type=kind)
        feature.lifecycle_stage = schema_pb2.DISABLED
    return schema


def add_metadata(schema: schema_pb2.Schema, columns: Sequence[str]) -> None:
    """Add the columns of metadata that the schema doesn't know: any text, in each example.

    Which values a column has is for nobody to say beforehand; a schema of the user's own may say it.
    """
    known = {feature.name for feature in schema.feature}
    for name in (METADATA + column for column in columns):
        if name not in known:
            _required(schema, name, schema_pb2.BYTES)


def _required(schema: schema_pb2.Schema, name: str, kind: int) -> schema_pb2.Feature:
    """Add and return a feature that each example has exactly once."""
    feature = schema.feature.add(name=name, type=kind)
    feature.presence.min_fraction = 1.0
    feature.presence.min_count = 1
    feature.shape.CopyFrom(schema_pb2.FixedShape())
    return feature


def _integer(schema: schema_pb2.Schema, name: str, least: int, most: int, categorical: bool = False) -> None:
    domain = _required(schema, name, schema_pb2.INT).int_domain
    domain.min, domain.max, domain.is_categorical = least, most, categorical


def _text(schema: schema_pb2.Schema, name: str, values: Sequence[str]) -> None:
    _required(schema, name, schema_pb2.BYTES).string_domain.value.extend(values)
