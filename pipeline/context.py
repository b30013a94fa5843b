"""What a pipeline is built from besides its configuration: where the data is, where models go, and the digests."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.code_version import code_version
from components.tools.files import content_digest
from pipeline.config import Config, validate

# What decides a model: two models with the same of these, and the same data, are the same model.
_DECISIVE = ("seed", "data", "split", "balance", "augment", "image", "model", "train", "tuner")
_CODE = (
    "components.ingest.executor",
    "components.split_balance_augment.executor",
    "components.tfrecord.executor",
    "components.folds.executor",
    "components.ensemble.executor",
    "components.trainer.executor",
    "components.trainer.run_fn",
)


@dataclass(frozen=True)
class RunParameters:
    """What a run of a compiled pipeline can set itself: there, runtime parameters of TFX; here, values.

    Attributes:
        data: the data folder, or several (`components.images.places`).
        until: date of the last of dated folders; "" for all.
        destination: where blessed models are pushed.
        seed: of training and of the analysis' resamples.
        epochs: overrides the configuration; None leaves it.
        architecture: likewise.
    """

    data: Any
    until: Any
    destination: Any
    seed: Any
    epochs: Any = None
    architecture: Any = None


@dataclass(frozen=True)
class RunContext:
    """Where and from what.

    Attributes:
        uri: the data folder, or several (`components.images.places`).
        destination: where blessed models are pushed.
        folder_digest: of the data folder; "" if nobody has looked at it yet.
        candidates: versions at the destination that the new model may be compared with.
        checkpoints: folder for checkpoints of an interrupted training; "" for none.
        parameters: what a run can set itself; None where nothing can.
        lost: the newest version that was pushed from here and is gone; a new one makes the Pusher run again.
        beam_in_environment: the runner hands the Beam options over in `PIPELINE_BEAM`, so that a cached split is found
            whatever it runs on next.
        to_predict: digest of what `predict.path` names; "" if nobody has looked at it.
    """

    uri: str
    destination: str
    folder_digest: str = ""
    candidates: str = ""
    checkpoints: str = ""
    parameters: RunParameters | None = None
    lost: str = ""
    beam_in_environment: bool = False
    to_predict: str = ""


def recipe(config: Config) -> str:
    """Return the digest of the options and the code that decide a model; where the data lies is no part of it."""
    return recipe_digest(recipe_parts(config))


def recipe_parts(config: Config) -> dict[str, Any]:
    """Return what `recipe_digest` digests: the values that a run of a compiled pipeline can set, and all else as one.

    Keys: `seed`, `architecture`, `train` (the section), `rest` (a digest).
    """
    values = config.as_dict()
    decisive = {section: values[section] for section in _DECISIVE}
    decisive["data"] = {key: value for key, value in decisive["data"].items() if key not in ("path", "until")}
    decisive |= {"calibrate": config.evaluate.calibrate, "flip_average": config.flip_average}
    decisive["answer"] = config.answer.model_dump(mode="json")
    if config.push.ensemble:
        decisive["ensemble"] = config.evaluate.folds
    parts = {"seed": decisive.pop("seed"), "train": decisive.pop("train")}
    parts["architecture"] = decisive["model"].pop("architecture")
    named = (path for section in (config.data, config.augment, config.model) for path in section.files())
    files = [content_digest(path) for path in named]
    return parts | {"rest": _digest([decisive, files, code_version(*_CODE)])}


def recipe_digest(parts: Mapping[str, Any]) -> str:
    """Return sixteen hex digits over what `recipe_parts` returns."""
    return _digest(parts)


def with_run_values(config: Config, values: Mapping[str, Any]) -> Config:
    """Return the configuration that a run has which sets `seed`, `architecture` or `epochs` by itself.

    Raises:
        ConfigError: the two don't go together.
    """
    model, train = config.model, config.train
    if "epochs" in values:
        train = train.with_epochs(values["epochs"])
    changed = config.as_dict() | {"train": train.model_dump(mode="json"), "seed": values.get("seed", config.seed)}
    if "architecture" in values:
        changed["model"] = model.model_dump(mode="json") | {"architecture": values["architecture"]}
    return validate(changed)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
