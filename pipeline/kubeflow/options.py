"""The `kubeflow` section of the configuration."""

from pydantic import Field

from components.options import Section


class KubeflowOptions(Section):
    """What the compiled pipeline asks of the cluster."""

    image: str | None = Field(None, description="the container image of every component")
    pipeline_root: str | None = Field(None, description="where artifacts go: `minio://…`, `s3://…` or `gs://…`")
    service_account: str | None = Field(None, description="service account of the pods")
    image_pull_secrets: tuple[str, ...] = Field((), description="secrets to pull the image with")
