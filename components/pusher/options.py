"""Options of the Pusher."""

from pydantic import Field, field_validator

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

    @field_validator("registry")
    @classmethod
    def _is_url(cls, registry: str | None) -> str | None:
        if registry is not None and not registry.startswith(("http://", "https://")):
            raise ValueError(
                "it must begin with http:// or https://, such as http://model-registry-service.kubeflow:8080"
            )
        return registry
