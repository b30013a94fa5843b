"""What TFX's local runner adds to a component's own work: ten components that do nothing, run and then cached."""

import logging
import statistics
import tempfile
from pathlib import Path

from tfx import types
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.formats.artifacts import Analysis
from pipeline.local.runner import LocalRunner, NodeRun

_NODES = 10


class _Nothing(BaseExecutor):
    def Do(self, input_dict: object, output_dict: object, exec_properties: object) -> None:  # noqa: N802
        pass


class _NothingSpec(ComponentSpec):
    INPUTS = {"before": ChannelParameter(type=Analysis, optional=True)}
    OUTPUTS = {"after": ChannelParameter(type=Analysis)}
    PARAMETERS = {"number": ExecutionParameter(type=int)}


class Nothing(BaseComponent):
    """Does nothing, behind another of its kind."""

    SPEC_CLASS = _NothingSpec
    EXECUTOR_SPEC = ExecutorClassSpec(_Nothing)

    def __init__(self, number: int, before: types.BaseChannel | None) -> None:
        """Construct the component."""
        super().__init__(_NothingSpec(number=number, before=before, after=types.Channel(type=Analysis)))


def main() -> None:
    """Run the chain twice and print the median seconds of a node."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        for run_id in ("run", "cached"):
            nodes: list[BaseComponent] = []
            for number in range(_NODES):
                before = nodes[-1].outputs["after"] if nodes else None
                nodes.append(Nothing(number, before).with_id(f"Nothing{number}"))
            pipeline = tfx_pipeline.Pipeline(
                pipeline_name="launch",
                pipeline_root=folder,
                components=nodes,
                enable_cache=True,
                metadata_connection_config=sqlite_metadata_connection_config(str(Path(folder) / "metadata.db")),
            )
            seconds: list[float] = []

            def note(run: NodeRun, into: list[float] = seconds) -> None:
                if run.state != "running":
                    into.append(run.seconds)

            LocalRunner(run_id, {}, note).run(pipeline)
            print(f"launch overhead, {run_id:<7} {1000 * statistics.median(seconds):6.0f} ms a component")


if __name__ == "__main__":
    main()
