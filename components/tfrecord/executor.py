"""Runs the conversion inside TFX and describes the Examples to the components behind it."""

from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.proto import example_gen_pb2
from tfx.types.artifact_utils import encode_split_names, get_single_instance

from components.formats.dataset import SPLITS
from components.formats.examples import read_labels, read_metadata_columns, write_labels, write_metadata_columns
from components.formats.groups import write_groups
from components.tfrecord.convert import convert
from components.tools.wording import named


class Executor(BaseExecutor):
    """Turns `dataset` into `examples`; what is known of them without an image is given by itself as well."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Convert all splits.

        Args:
            input_dict: `dataset`, a split ImageDataset.
            output_dict: `examples`, standard Examples in gzip TFRecord, and `labels` and `groups`, each an
                Analysis.
            exec_properties: nothing that is read.
        """
        del exec_properties
        dataset = Path(get_single_instance(input_dict["dataset"]).uri)
        examples = get_single_instance(output_dict["examples"])
        counts = convert(dataset, Path(examples.uri))
        examples.split_names = encode_split_names(list(SPLITS))
        examples_utils.set_payload_format(examples, example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE)
        examples_utils.set_file_format(examples, "tfrecords_gzip")
        for split, count in counts.items():
            examples.set_int_custom_property(f"{split}_examples", count)
        labels = read_labels(examples.uri)
        examples.set_string_custom_property("labels", named(labels))
        small = {name: Path(get_single_instance(output_dict[name]).uri) for name in ("labels", "groups")}
        for folder in small.values():
            folder.mkdir(parents=True, exist_ok=True)
        write_labels(labels, small["labels"], counts)
        write_metadata_columns(read_metadata_columns(examples.uri), small["labels"])
        write_groups(dataset, small["groups"])
