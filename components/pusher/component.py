"""ImagePusher: a blessed model goes to where it is served from."""

from tfx import types
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.types.standard_artifacts import Model, ModelBlessing, PushedModel

from components.artifacts import Analysis
from components.pusher.executor import Executor


class ImagePusherSpec(ComponentSpec):
    """Inputs, outputs and parameters of ImagePusher."""

    INPUTS = {
        "model": ChannelParameter(type=Model),
        "model_blessing": ChannelParameter(type=ModelBlessing),
        "analysis": ChannelParameter(type=Analysis),
    }
    OUTPUTS = {"pushed_model": ChannelParameter(type=PushedModel)}
    PARAMETERS = {
        "destination": ExecutionParameter(type=str),
        "recipe": ExecutionParameter(type=str),
        "folder_digest": ExecutionParameter(type=str),
        "lost": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
    }


class ImagePusher(BaseComponent):
    """Copies a blessed model, its card, metrics and origin to `<destination>/<version>/`."""

    SPEC_CLASS = ImagePusherSpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        analysis: types.BaseChannel,
        destination: str | RuntimeParameter,
        recipe: str,
        folder_digest: str = "",
        lost: str = "",
        code_version: str = "",
    ) -> None:
        """Construct the component.

        Args:
            model: the trained model.
            model_blessing: of the Evaluator.
            analysis: of PredictionAnalysis, with the model card.
            destination: folder, `s3://…` or `gs://…`.
            recipe: digest of the options and code that decide the model.
            folder_digest: of the data folder; "" where no runner has looked at it.
            lost: a version that was pushed and stands no more: a new one runs the component anew.
            code_version: of the component's source; a changed one runs the component anew.
        """
        spec = ImagePusherSpec(
            model=model,
            model_blessing=model_blessing,
            analysis=analysis,
            destination=destination,
            recipe=recipe,
            folder_digest=folder_digest,
            lost=lost,
            code_version=code_version,
            pushed_model=types.Channel(type=PushedModel),
        )
        super().__init__(spec=spec)
