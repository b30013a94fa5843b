"""The parameters that ImageTrainer and ImageTuner share: JSON sections, and scalars that override them.

Scalars are parameters of their own so that they can be set anew for each run of a compiled Kubeflow pipeline; a runtime
parameter inside a JSON string would be frozen at compile time.
"""

import json
from collections.abc import Mapping
from typing import Any

from tfx.types.component_spec import ExecutionParameter

from components.options import TrainOptions

SECTIONS = ("model", "train", "image", "tracking", "tuner")

# `model` is the name of the Trainer's output, so a section's JSON is the parameter `<section>_options`.
PARAMETERS: dict[str, ExecutionParameter] = {
    **{f"{section}_options": ExecutionParameter(type=str, optional=True) for section in SECTIONS},
    "calibrate": ExecutionParameter(type=int, optional=True),
    "epochs": ExecutionParameter(type=int, optional=True),
    "architecture": ExecutionParameter(type=str, optional=True),
    "seed": ExecutionParameter(type=int),
    "code_version": ExecutionParameter(type=str),
    "checkpoint_dir": ExecutionParameter(type=str),
}


def custom_config(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Merge the execution properties into one nested dict, as `settings.read_settings` takes it."""
    config: dict[str, Any] = {name: json.loads(properties.get(f"{name}_options") or "{}") for name in SECTIONS}
    if properties.get("architecture"):
        config["model"]["architecture"] = properties["architecture"]
    if (epochs := properties.get("epochs")) is not None:
        config["train"] = TrainOptions.model_validate(config["train"]).with_epochs(epochs).model_dump(mode="json")
    config["calibrate"] = bool(properties.get("calibrate", 1))
    config["seed"] = int(properties.get("seed", 0))
    config["code_version"] = properties.get("code_version", "")
    config["checkpoint_dir"] = properties.get("checkpoint_dir", "")
    return config
