"""What one training needs to know, merged from the component's parameters and the Tuner's choice."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import tensorflow as tf

from components.images.options import ImageOptions
from components.tools.files import content_digest
from components.training.options import AnswerOptions, ModelOptions, TrackingOptions, TrainOptions, check_fine_tuning

_TRAILER = 8  # bytes


@dataclass(frozen=True)
class Settings:
    """The sections of the configuration that training reads."""

    model: ModelOptions
    train: TrainOptions
    image: ImageOptions
    tracking: TrackingOptions = field(default_factory=TrackingOptions)
    answer: AnswerOptions = field(default_factory=AnswerOptions)
    calibrate: bool = True
    flip_average: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse options of the two sections that don't go together."""
        check_fine_tuning(self.model, self.train)

    def with_choices(self, choices: Mapping[str, Any]) -> "Settings":
        """Return these settings with some options replaced: {"model.dropout": 0.2, "train.learning_rate": 0.01}.

        Raises:
            ValueError: there is no such option, or its value is impossible.
        """
        sections: dict[str, dict[str, Any]] = {}
        for key, value in choices.items():
            section, _, name = key.rpartition(".")
            options = getattr(self, section, None) if section in ("model", "train") else None
            if options is None or name not in type(options).model_fields:
                raise ValueError(f"A trial can change options of model and train only. Received: {key}={value!r}")
            sections.setdefault(section, {})[name] = value
        return replace(
            self,
            **{  # type: ignore[arg-type]
                section: type(getattr(self, section)).model_validate(getattr(self, section).model_dump() | changes)
                for section, changes in sections.items()
            },
        )

    def fingerprint(self, files: Sequence[str], *more: str) -> str:
        """Digest all that decides the result: options, the files they name, seed, the data, TensorFlow's version.

        A gzip file ends with the checksum and the length of what is in it (RFC 1952, section 2.3.1).
        """
        digest = hashlib.sha256()
        options = [self.model.model_dump(), self.train.model_dump(), self.image.model_dump(), self.seed]
        options += [content_digest(path) for path in self.model.files()]  # weights that training begins with
        digest.update(json.dumps([options, tf.__version__, *more], sort_keys=True).encode())
        for file in files:
            with tf.io.gfile.GFile(file, "rb") as data:
                data.seek(max(0, data.size() - _TRAILER))
                digest.update(f"{data.size()}".encode() + data.read(_TRAILER))
        return digest.hexdigest()[:32]


def read_settings(config: Mapping[str, Any], hyperparameters: Mapping[str, Any] | None = None) -> Settings:
    """Read the `custom_config` that the executor fills, and the best hyperparameters of the Tuner, which win."""
    settings = Settings(
        model=ModelOptions.model_validate(config["model"]),
        train=TrainOptions.model_validate(config["train"]),
        image=ImageOptions.model_validate(config["image"]),
        tracking=TrackingOptions.model_validate(config.get("tracking", {})),
        answer=AnswerOptions.model_validate(config.get("answer", {})),
        calibrate=bool(config.get("calibrate", True)),
        flip_average=bool(config.get("flip_average", False)),
        seed=int(config.get("seed", 0)),
    )
    return settings.with_choices((hyperparameters or {}).get("values", {}))
