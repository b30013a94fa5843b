"""Executor of ImageTrainer: merges the component's parameters into the `custom_config` of TFX's generic Trainer."""

from typing import Any

from tfx.components.trainer.executor import GenericExecutor
from tfx.types import artifact_utils, standard_component_specs
from tfx.types.artifact import Artifact
from tfx.utils import json_utils

from components.trainer.parameters import custom_config


class Executor(GenericExecutor):
    """Runs `components.trainer.run_fn.run_fn`."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Train and export."""
        examples = artifact_utils.get_single_uri(input_dict[standard_component_specs.EXAMPLES_KEY])
        config = custom_config(exec_properties) | {"examples_uri": examples}
        properties = {**exec_properties, standard_component_specs.CUSTOM_CONFIG_KEY: json_utils.dumps(config)}
        super().Do(input_dict, output_dict, properties)
