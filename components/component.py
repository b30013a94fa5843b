"""The base of all components: each declares once what it takes, makes and runs.

    class TFRecordConverter(Component):
        "Write gzip TFRecords of tf.Example."

        EXECUTOR = Executor
        INPUTS = {"dataset": Input(ImageDataset, "with splits")}
        OUTPUTS = {"examples": Output(Examples, "…")}
        PARAMETERS = {"split": Parameter(SplitOptions, "…")}

    TFRecordConverter(dataset=split.outputs["dataset"], split=SplitOptions())

From that come TFX's spec and executor spec, the output channels, options as JSON, and `code_version`: a digest of the
executor's source and of the files that options name, by which TFX's cache notices that either changed.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec, ExecutorClassSpec
from tfx.types.artifact import Artifact
from tfx.types.channel import Channel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.code_version import code_version
from components.formats.nodes import node_id
from components.plain_executor import PlainExecutor
from components.tools.files import content_digest
from components.tools.section import Section

CODE_VERSION = "code_version"


@dataclass(frozen=True)
class Input:
    """An artifact that a component takes.

    Attributes:
        type: of the artifact.
        about: what it is to the component.
        optional: whether the component runs without.
    """

    type: type[Artifact]
    about: str
    optional: bool = False


@dataclass(frozen=True)
class Output:
    """An artifact that a component makes.

    Attributes:
        type: of the artifact.
        about: what is in it.
    """

    type: type[Artifact]
    about: str


@dataclass(frozen=True)
class Parameter:
    """A value that a component takes.

    Attributes:
        type: `str` or `int`, which may then also be TFX's RuntimeParameter, or a section of options.
        about: what it does.
        optional: whether None is left out.
    """

    type: type[str] | type[int] | type[Section]
    about: str
    optional: bool = False


class Component(BaseComponent):  # type: ignore[misc]
    """What a subclass declares becomes a TFX component.

    Attributes:
        EXECUTOR: what does the work; its module and all that this imports is the component's code.
        INPUTS: artifacts taken, by name.
        OUTPUTS: artifacts made, by name.
        PARAMETERS: values taken, by name; all but the optional ones must be given. Inputs, outputs and parameters
            share one set of names.
        FURTHER_CODE: modules that the executor uses without importing them.
    """

    EXECUTOR: ClassVar[type[BaseExecutor | PlainExecutor]]
    INPUTS: ClassVar[dict[str, Input]] = {}
    OUTPUTS: ClassVar[dict[str, Output]] = {}
    PARAMETERS: ClassVar[dict[str, Parameter]] = {}
    FURTHER_CODE: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not hasattr(cls, "EXECUTOR"):
            return  # a base that declares nothing yet
        names = [*cls.INPUTS, *cls.OUTPUTS, *cls.PARAMETERS, CODE_VERSION]
        if twice := {name for name in names if names.count(name) > 1}:
            raise TypeError(f"{cls.__name__} gives two things one name: {', '.join(sorted(twice))}")
        parameters = {
            name: ExecutionParameter(type=str if issubclass(one.type, Section) else one.type, optional=one.optional)
            for name, one in cls.PARAMETERS.items()
        }
        declared = {
            "INPUTS": {n: ChannelParameter(type=one.type, optional=one.optional) for n, one in cls.INPUTS.items()},
            "OUTPUTS": {name: ChannelParameter(type=one.type) for name, one in cls.OUTPUTS.items()},
            "PARAMETERS": {**parameters, CODE_VERSION: ExecutionParameter(type=str)},
        }
        cls.SPEC_CLASS = type(f"{cls.__name__}Spec", (ComponentSpec,), {**declared, "__module__": cls.__module__})
        on_beam = issubclass(cls, BaseBeamComponent)
        cls.EXECUTOR_SPEC = BeamExecutorSpec(cls.EXECUTOR) if on_beam else ExecutorClassSpec(cls.EXECUTOR)

    def __init__(self, **given: Any) -> None:
        """Make the component, under the name that its class stands for.

        Args:
            given: a channel for each input, a value for each parameter.

        Raises:
            TypeError: something is given that isn't declared, or the other way round.
        """
        declared: dict[str, Input | Parameter] = {**self.INPUTS, **self.PARAMETERS}
        required = {name for name, one in declared.items() if not one.optional}
        unknown, missing = given.keys() - declared.keys(), required - given.keys()
        if unknown or missing:
            what = "takes no" if unknown else "needs"
            raise TypeError(f"{type(self).__name__} {what} {', '.join(sorted(unknown or missing))}")
        sections = [value for value in given.values() if isinstance(value, Section)]
        values = {name: _plain(value) for name, value in given.items() if value is not None}
        outputs = {name: Channel(type=one.type) for name, one in self.OUTPUTS.items()}
        super().__init__(self.SPEC_CLASS(**values, **outputs, **{CODE_VERSION: self.version(*sections)}))
        self.with_id(node_id(type(self).__name__))

    @classmethod
    def version(cls, *sections: Section) -> str:
        """Return the digest of the component's code and of the files that the options name.

        Args:
            sections: the component's options.
        """
        digests = [content_digest(path) for section in sections for path in section.files()]
        return "-".join([code_version(cls.EXECUTOR.__module__, *cls.FURTHER_CODE), *filter(None, digests)])


def _plain(value: Any) -> Any:
    return value.model_dump_json(by_alias=True) if isinstance(value, Section) else value
