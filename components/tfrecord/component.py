"""TFRecordConverter: a split ImageDataset becomes TFX's standard Examples."""

from tfx import types
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.types.standard_artifacts import Examples

from components.artifacts import ImageDataset
from components.tfrecord.executor import Executor


class TFRecordConverterSpec(ComponentSpec):
    """Inputs, outputs and parameters of TFRecordConverter."""

    INPUTS = {"dataset": ChannelParameter(type=ImageDataset)}
    OUTPUTS = {"examples": ChannelParameter(type=Examples)}
    PARAMETERS = {"code_version": ExecutionParameter(type=str)}


class TFRecordConverter(BaseComponent):
    """Writes gzip TFRecords of tf.Example, one split a folder, and the label map that goes with them."""

    SPEC_CLASS = TFRecordConverterSpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(self, dataset: types.BaseChannel, code_version: str = "") -> None:
        """Construct the component.

        Args:
            dataset: an ImageDataset with splits train, eval and test.
            code_version: of the component's source; a changed one runs the component anew.
        """
        spec = TFRecordConverterSpec(dataset=dataset, code_version=code_version, examples=types.Channel(type=Examples))
        super().__init__(spec=spec)
