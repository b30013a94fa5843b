"""Executor of ImageTrainer: merges the component's parameters into the `custom_config` of TFX's generic Trainer."""

import gc
from typing import Any

from tfx.components.trainer.executor import GenericExecutor
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as keys
from tfx.types.artifact import Artifact

from components.formats.documents import TRAINING
from components.training.parameters import tfx_properties

RUN_FN = "components.trainer.run_fn.run_fn"


class Executor(GenericExecutor):
    """Runs `components.trainer.run_fn.run_fn`."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Train and export."""
        properties = {keys.RUN_FN_KEY: RUN_FN, **tfx_properties(input_dict, exec_properties)}
        # TFX reads the Tuner's choice from an artifact of one file, and there is the state of the training as well.
        inputs = {key: value for key, value in input_dict.items() if key != keys.HYPERPARAMETERS_KEY}
        super().Do(inputs, output_dict, properties)
        gc.collect()  # the graphs hold the decoded images in reference cycles; other components share the process
        outputs = (output_dict[key] for key in (keys.MODEL_KEY, keys.MODEL_RUN_KEY))
        model, model_run = map(artifact_utils.get_single_instance, outputs)
        _describe(model_run)
        # For those who need to name the model, but nothing that is in it.
        model_run.set_string_custom_property("model", model.uri)


def _describe(model_run: Artifact) -> None:
    """Put the training's key figures where ML Metadata keeps them."""
    training = TRAINING.read(model_run.uri)
    best: dict[str, Any] = next((row for row in training["history"] if row["epoch"] == training["best_epoch"]), {})
    for name in ("architecture", "precision"):
        model_run.set_string_custom_property(name, training[name])
    for name in ("parameters", "epochs_run", "best_epoch", "seed"):
        model_run.set_int_custom_property(name, training[name])
    figures = {name: training[name] for name in ("seconds", "images_per_second", "temperature")}
    figures["eval_accuracy"] = best.get("val_accuracy")
    if (answers := training["answers"]) is not None:
        figures["answered"] = sum(one["answered"] for one in answers["found"]) / training["eval_images"]
    figures["held_out_accuracy"] = training.get("held_out_accuracy")
    for name, value in figures.items():
        if value is not None:
            model_run.set_float_custom_property(name, float(value))
