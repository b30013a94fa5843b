"""Runs the division into folds inside TFX."""

from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.proto import example_gen_pb2
from tfx.types.artifact_utils import encode_split_names, get_single_instance

from components.folds.divide import divide
from components.formats.folds import write_folds


class Executor(BaseExecutor):
    """Writes Examples whose splits are folds, and which image is in which."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Divide train and eval.

        Args:
            input_dict: `all_examples`, with splits train and eval.
            output_dict: `examples`, by fold, and `folds`.
            exec_properties: `count` of folds, and `split_seed`.
        """
        source = Path(get_single_instance(input_dict["all_examples"]).uri)
        examples = get_single_instance(output_dict["examples"])
        folder = Path(get_single_instance(output_dict["folds"]).uri)
        for made in (Path(examples.uri), folder):
            made.mkdir(parents=True, exist_ok=True)
        count = int(exec_properties["count"])
        table, counts = divide(source, Path(examples.uri), count, int(exec_properties["split_seed"]))
        write_folds(table, folder)
        examples.split_names = encode_split_names(list(counts))
        examples_utils.set_payload_format(examples, example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE)
        examples_utils.set_file_format(examples, "tfrecords_gzip")
        examples.set_int_custom_property("folds", count)
        examples.set_int_custom_property("images", len(table))
