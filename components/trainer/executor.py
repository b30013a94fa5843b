"""Executor of ImageTrainer: merges the component's parameters into the `custom_config` of TFX's generic Trainer."""

import gc
import json
from pathlib import Path
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
        gc.collect()  # the graphs hold the decoded images in reference cycles; other components share the process
        _describe(artifact_utils.get_single_instance(output_dict[standard_component_specs.MODEL_RUN_KEY]))


def _describe(model_run: Artifact) -> None:
    """Put the training's key figures where ML Metadata keeps them."""
    training = json.loads(Path(model_run.uri, "training.json").read_text("utf-8"))
    best: dict[str, Any] = next((row for row in training["history"] if row["epoch"] == training["best_epoch"]), {})
    for name in ("architecture", "precision"):
        model_run.set_string_custom_property(name, training[name])
    for name in ("parameters", "epochs_run", "best_epoch", "seed"):
        model_run.set_int_custom_property(name, training[name])
    figures = {name: training[name] for name in ("seconds", "images_per_second", "temperature")}
    figures["eval_accuracy"] = best.get("val_accuracy")
    for name, value in figures.items():
        if value is not None:
            model_run.set_float_custom_property(name, float(value))
