"""The `kubeflow` section of the configuration."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from components.tools.section import MOST, Section

Quantity = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")]
Duration = Annotated[str, StringConstraints(pattern=r"^\d+[smh]$")]
EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class GpuOptions(Section):
    """Accelerators of a pod."""

    type: str = Field("nvidia.com/gpu", min_length=1, description="resource name of the accelerator")
    count: int = Field(1, ge=1, le=64, description="how many")


class SecretEnvOptions(Section):
    """Keys of a Kubernetes secret as environment variables."""

    secret: str = Field(min_length=1, description="name of the secret")
    keys: dict[str, EnvName] = Field(min_length=1, description="key of the secret: name of the variable")


class PvcOptions(Section):
    """A persistent volume claim in a pod."""

    claim: str = Field(min_length=1, description="name of the claim")
    path: str = Field(pattern=r"^/", description="where it is mounted")


class TolerationOptions(Section):
    """A taint that a pod tolerates."""

    key: str | None = Field(None, description="the taint's key; null: every key")
    operator: Literal["Equal", "Exists"] = Field("Equal", description="how `value` is compared")
    value: str | None = Field(None, description="the taint's value")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(None, description="null: all")

    @model_validator(mode="after")
    def _consistent(self) -> "TolerationOptions":
        if self.operator == "Exists" and self.value is not None:
            raise ValueError(f"a toleration with operator Exists takes no value. Received: {self.value}")
        if self.operator == "Equal" and self.key is None:
            raise ValueError("a toleration without key needs operator: Exists. Received: Equal")
        return self


class RetryOptions(Section):
    """How often a failed task is tried again."""

    count: int = Field(0, ge=0, le=MOST, description="retries")
    backoff: Duration = Field("30s", description="pause before the first retry")
    factor: int = Field(2, ge=1, le=MOST, description="by which each further pause is longer")
    longest: Duration = Field(
        "168h", description="total time from the first attempt on: then nothing is retried, and a running retry killed"
    )

    @property
    def backoff_seconds(self) -> int:
        """Pause before the first retry, in seconds."""
        return _seconds(self.backoff)

    @property
    def longest_seconds(self) -> int:
        """Total time, in seconds."""
        return _seconds(self.longest)

    @model_validator(mode="after")
    def _there_is_time_for_the_pauses(self) -> "RetryOptions":
        pauses = sum(self.backoff_seconds * self.factor**retry for retry in range(self.count))
        if self.longest_seconds <= pauses:
            raise ValueError(
                f"retry.longest is the total time, and the pauses before {self.count} retries alone make {pauses}s. "
                f"Received: {self.longest}"
            )
        return self


class TaskOptions(Section):
    """What one component asks of the cluster."""

    cpu: Quantity | None = Field(None, description="CPU limit, e.g. `4` or `500m`")
    cpu_request: Quantity | None = Field(None, description="CPU request")
    memory: Quantity | None = Field(None, description="memory limit, e.g. `16Gi`")
    memory_request: Quantity | None = Field(None, description="memory request")
    gpu: GpuOptions | None = Field(None, description="`{type, count}`")
    env: dict[EnvName, str] = Field(default_factory=dict, description="environment variables")
    secret_env: tuple[SecretEnvOptions, ...] = Field((), description="`{secret, keys: {key: VARIABLE}}` each")
    pvc: tuple[PvcOptions, ...] = Field((), description="`{claim, path}` each")
    node_selector: dict[str, str] = Field(default_factory=dict, description="labels a node must have")
    tolerations: tuple[TolerationOptions, ...] = Field((), description="`{key, operator, value, effect}` each")
    retry: RetryOptions | None = Field(None, description="`{count, backoff, factor, longest}`")
    cache: bool | None = Field(None, description="reuse earlier results; null: where that is sound")
    again: int = Field(0, ge=0, le=MOST, description="a number not used before: run once more, past what the cache has")


class KubeflowOptions(Section):
    """What the compiled pipeline asks of the cluster."""

    image: str | None = Field(None, description="the container image of every component")
    pipeline_root: str | None = Field(None, description="where artifacts go: `minio://…`, `s3://…` or `gs://…`")
    service_account: str | None = Field(None, description="service account of the pods; `submit` asks for it")
    image_pull_secrets: tuple[str, ...] = Field((), description="secrets to pull the image with")
    components: dict[str, TaskOptions] = Field(
        default_factory=dict,
        description="by component (`Trainer`, …; `all` for each): `cpu`, `memory`, `gpu`, `env`, `secret_env`, `pvc`, "
        "`node_selector`, `tolerations`, `retry`, `cache`, `again`",
    )


def _seconds(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]
