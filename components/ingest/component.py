"""ImageIngest: a folder of images becomes an ImageDataset artifact."""

from tfx import types
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifacts import ImageDataset
from components.ingest.executor import Executor


class ImageIngestSpec(ComponentSpec):
    """Inputs, outputs and parameters of ImageIngest."""

    INPUTS: dict[str, ChannelParameter] = {}
    OUTPUTS = {"images": ChannelParameter(type=ImageDataset)}
    PARAMETERS = {
        "uri": ExecutionParameter(type=str),
        "data": ExecutionParameter(type=str),
        "group_regex": ExecutionParameter(type=str),
        "data_digest": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
    }


class ImageIngest(BaseComponent):
    """Scans, checks, hashes and packs a folder of images; what can't be used is quarantined with a reason."""

    SPEC_CLASS = ImageIngestSpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        uri: str | RuntimeParameter,
        data: str,
        group_regex: str = "",
        data_digest: str = "",
        code_version: str = "",
    ) -> None:
        """Construct the component.

        Args:
            uri: folder with `train/<label>/…` or `<label>/…`, or an object store's prefix.
            data: `DataOptions` as JSON.
            group_regex: images whose file names share its first capture stay together; "" for none.
            data_digest: of the folder's content; a changed one runs the component anew.
            code_version: of the component's source; likewise.
        """
        spec = ImageIngestSpec(
            uri=uri,
            data=data,
            group_regex=group_regex,
            data_digest=data_digest,
            code_version=code_version,
            images=types.Channel(type=ImageDataset),
        )
        super().__init__(spec=spec)
