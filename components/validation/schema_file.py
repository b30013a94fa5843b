"""The user's own schema, read."""

from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2


class SchemaFileError(ValueError):
    """A file that holds no schema; the message names it."""


def read_schema(path: str) -> schema_pb2.Schema:
    """Return the schema in a file (TFDV's, as text).

    Raises:
        SchemaFileError: it can't be read.
    """
    try:
        return text_format.Parse(Path(path).read_text("utf-8"), schema_pb2.Schema())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise SchemaFileError(f"can't read validate.schema = {path}: {error}") from None
