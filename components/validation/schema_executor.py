"""Writes the schema, without TFX and TFDV."""

from pathlib import Path
from typing import Any

from google.protobuf import text_format

from components.formats.examples import read_labels, read_metadata_columns
from components.plain_executor import PlainExecutor
from components.tools.files import write_text
from components.validation.options import ValidateOptions
from components.validation.schema import add_metadata, make_schema
from components.validation.schema_file import read_schema


class SchemaExecutor(PlainExecutor):
    """Writes the schema that the data is held to."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Make the schema, or take over the user's.

        Args:
            input_dict: `labels`, with the label map and the columns of metadata.
            output_dict: `schema`, a standard Schema.
            exec_properties: `validate`, options as JSON, and `max_pixels`.
        """
        options = ValidateOptions.model_validate_json(exec_properties["validate"])
        [labels], [output] = input_dict["labels"], output_dict["schema"]
        if options.schema_path:
            schema = read_schema(options.schema_path)
        else:
            schema = make_schema(read_labels(labels.uri), int(exec_properties["max_pixels"]))
        add_metadata(schema, read_metadata_columns(labels.uri))
        uri = Path(output.uri)
        uri.mkdir(parents=True, exist_ok=True)
        write_text(text_format.MessageToString(schema), uri / "schema.pbtxt")
