"""SplitBalanceAugment: ImageDataset in, ImageDataset with the splits train, eval and test out."""

from tfx import types
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifacts import ImageDataset
from components.split_balance_augment.executor import Executor


class SplitBalanceAugmentSpec(ComponentSpec):
    """Inputs, outputs and parameters of SplitBalanceAugment."""

    INPUTS = {"images": ChannelParameter(type=ImageDataset)}
    OUTPUTS = {"dataset": ChannelParameter(type=ImageDataset)}
    PARAMETERS = {
        "split": ExecutionParameter(type=str),
        "balance": ExecutionParameter(type=str),
        "augment": ExecutionParameter(type=str),
        "beam": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
    }


class SplitBalanceAugment(BaseComponent):
    """Divides groups of images into splits, and fills up the classes of some splits with augmented copies."""

    SPEC_CLASS = SplitBalanceAugmentSpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        images: types.BaseChannel,
        split: str,
        balance: str,
        augment: str,
        beam: str,
        code_version: str = "",
    ) -> None:
        """Construct the component.

        Args:
            images: an ImageDataset from ingest.
            split: `SplitOptions` as JSON.
            balance: `BalanceOptions` as JSON.
            augment: `AugmentOptions` as JSON.
            beam: `BeamOptions` as JSON.
            code_version: of the component's source; a changed one runs the component anew.
        """
        spec = SplitBalanceAugmentSpec(
            images=images,
            split=split,
            balance=balance,
            augment=augment,
            beam=beam,
            code_version=code_version,
            dataset=types.Channel(type=ImageDataset),
        )
        super().__init__(spec=spec)
