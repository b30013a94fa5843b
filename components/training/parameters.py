"""What the executors of Trainer and Tuner make of their parameters: JSON sections, and scalars that override them."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tfx.proto import trainer_pb2
from tfx.types import standard_component_specs as keys
from tfx.types.artifact import Artifact
from tfx.types.artifact_utils import get_single_uri
from tfx.utils import json_utils, proto_utils

from components.formats.examples import read_counts
from components.formats.folds import TrainingSplits, splits_of_fold
from components.tools.files import read_json
from components.training.options import TrainOptions

BEST = "best_hyperparameters.txt"  # TFX's name
SECTIONS = ("model", "train", "image", "tracking", "answer", "tuner")


def custom_config(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Merge the execution properties into one nested dict, as `settings.read_settings` takes it."""
    config: dict[str, Any] = {name: json.loads(properties.get(f"{name}_options") or "{}") for name in SECTIONS}
    if properties.get("architecture"):
        config["model"]["architecture"] = properties["architecture"]
    if (epochs := properties.get("epochs")) is not None:
        config["train"] = TrainOptions.model_validate(config["train"]).with_epochs(epochs).model_dump(mode="json")
    config["calibrate"] = bool(properties.get("calibrate", 1))
    config["flip_average"] = bool(properties.get("flip_average", 0))
    config["seed"] = int(properties.get("seed", 0))
    config["code_version"] = properties.get("code_version", "")
    config["checkpoint_dir"] = properties.get("checkpoint_dir", "")
    return config


def tfx_properties(inputs: Mapping[str, list[Artifact]], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties that TFX's own Trainer and Tuner read, with ours in their `custom_config`."""
    examples = get_single_uri(inputs[keys.EXAMPLES_KEY])
    fold = properties.get("fold")
    splits = TrainingSplits() if fold is None else splits_of_fold(int(fold), read_counts(examples))
    config = custom_config(properties) | {"examples_uri": examples, "fold": fold, "splits": asdict(splits)}
    if found := inputs.get(keys.HYPERPARAMETERS_KEY):
        chosen = get_single_uri(found)
        config["hyperparameters"] = read_json(Path(chosen) / BEST)
        if fold is None:  # what the Tuner has trained has seen what a fold holds out
            config["begun"] = chosen
    return {
        keys.TRAIN_ARGS_KEY: proto_utils.proto_to_json(trainer_pb2.TrainArgs(splits=splits.train)),
        keys.EVAL_ARGS_KEY: proto_utils.proto_to_json(trainer_pb2.EvalArgs(splits=splits.eval)),
        keys.CUSTOM_CONFIG_KEY: json_utils.dumps(config),
    }
