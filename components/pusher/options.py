"""Options of the Pusher."""

import re
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from components.formats.exports import SAVED_MODEL, Format
from components.tools.section import Section


class PushOptions(Section):
    """Where a blessed model goes."""

    destination: str | None = Field(None, description="folder, `s3://…` or `gs://…`; null: WORKDIR/serving_model")
    registry: str | None = Field(
        None, description="URL of Kubeflow's Model Registry, in which pushed models are registered; null: none"
    )
    registry_model: str = Field("facial-affect", min_length=1, description="name of the model in the registry")
    ensemble: bool = Field(
        False, description="evaluate and push the average of the models of `evaluate.folds` in place of the Trainer's"
    )
    formats: tuple[Format, ...] = Field(
        (SAVED_MODEL,),
        description="formats of the pushed model: `saved_model`, and beside it `onnx` (model.onnx), `litert` "
        "(model.tflite), `litert-int8` (model.int8.tflite), which run without TensorFlow",
    )
    min_agreement: float = Field(
        0.995,
        ge=0.0,
        le=1.0,
        description="least share of the test images that a file of another format gives the SavedModel's label, or it "
        "isn't pushed",
    )

    @field_validator("formats")
    @classmethod
    def _with_a_saved_model(cls, value: tuple[Format, ...]) -> tuple[Format, ...]:
        if SAVED_MODEL not in value or len(set(value)) < len(value):
            raise ValueError(
                f"takes saved_model, which others are put beside, and each of the others once. Received: {list(value)}"
            )
        return value

    @property
    def exports(self) -> bool:
        """Whether there is more than a SavedModel."""
        return len(self.formats) > 1

    @field_validator("registry")
    @classmethod
    def _is_url(cls, registry: str | None) -> str | None:
        if registry is not None and not _is_address(registry):
            raise ValueError(
                "it must be an http:// or https:// URL, such as http://model-registry-service.kubeflow:8080"
            )
        return registry


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", url)
        )
    except ValueError:  # no IPv6 address, or no port
        return False
