"""The base of executors that need no TFX, and what they are given where there is none.

    class Executor(PlainExecutor):
        def Do(self, input_dict, output_dict, exec_properties):
            [digest] = output_dict["digest"]
            digest.value = "…"

TFX runs such an executor as one of its own. On Kubeflow it runs by itself (`pipeline.kubeflow.plain_run`), with
`PlainArtifact`s: so its container needs a second to start rather than a quarter of a minute, if its module imports no
TFX either.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class PlainArtifact:
    """What an executor uses of one of TFX's artifacts.

    Attributes:
        uri: its local path.
        properties: custom properties.
        value: of an output that is handed on as a parameter; None until it is set, and of every other artifact.
    """

    uri: str = ""
    properties: dict[str, str | int | float] = field(default_factory=dict)
    value: str | int | float | None = None

    def get_string_custom_property(self, key: str) -> str:
        """Return a property; "" where it isn't set."""
        return str(self.properties.get(key, ""))

    def get_int_custom_property(self, key: str) -> int:
        """Return a property; 0 where it isn't set."""
        return int(self.properties.get(key, 0))

    def set_string_custom_property(self, key: str, value: str) -> None:
        """Set a property."""
        self.properties[key] = value

    def set_int_custom_property(self, key: str, value: int) -> None:
        """Set a property."""
        self.properties[key] = value

    def set_float_custom_property(self, key: str, value: float) -> None:
        """Set a property."""
        self.properties[key] = value


class PlainExecutor:
    """Work on artifacts and values, with what TFX's own executors are given."""

    def __init__(self, context: Any = None) -> None:
        """Make the executor.

        Args:
            context: what TFX's runner knows of the execution; plain executors need nothing of it.
        """
        del context

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Do the work.

        Args:
            input_dict: artifacts taken, by name.
            output_dict: artifacts to make, and values to set, by name.
            exec_properties: values taken, by name.
        """
        raise NotImplementedError
