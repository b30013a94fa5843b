"""TFX's LocalDagRunner, telling somebody what happens and recording what a run was made from."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.portable import launcher, runtime_parameter_utils
from tfx.orchestration.portable.mlmd import context_lib
from tfx.proto.orchestration import pipeline_pb2

from components.formats.nodes import NEVER_CACHED
from pipeline.local.interruption import interrupt_behind
from pipeline.local.whole_files import record_files, refuse_damaged


@dataclass
class NodeRun:
    """What became of one component.

    Attributes:
        node: its id.
        state: "waiting", "running", "cached", "done" or "failed".
        seconds: how long it took; of those, TFX's own overhead is what its executor doesn't account for.
        properties: custom properties of its output artifacts, by output.
        uris: of its output artifacts, by output.
        error: what it failed with.
    """

    node: str
    state: str = "waiting"
    seconds: float = 0.0
    properties: dict[str, dict[str, Any]] = field(default_factory=dict)
    uris: dict[str, str] = field(default_factory=dict)
    error: BaseException | None = None


Listener = Callable[[NodeRun], None]


class LocalRunner(LocalDagRunner):
    """Runs the components one after the other in this process.

    Args:
        run_id: name of the run in ML Metadata.
        record: custom properties of the run's context.
        listener: called at each change of a component's state.
    """

    def __init__(self, run_id: str, record: Mapping[str, str | int], listener: Listener) -> None:
        super().__init__()
        self._run_id, self._record, self._listener = run_id, record, listener

    def run_with_ir(
        self, pipeline: pipeline_pb2.Pipeline, run_options: pipeline_pb2.RunOptions | None = None
    ) -> list[NodeRun]:
        """Run the compiled pipeline; the first component that fails ends it.

        Returns:
            What became of each component. Those behind a failed one are "waiting".
        """
        if run_options is not None:
            raise ValueError("parts of a pipeline aren't run by hand here: what is complete comes from the cache")
        runtime_parameter_utils.substitute_runtime_parameter(
            pipeline, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: self._run_id}
        )
        deployment = runner_utils.extract_local_deployment_config(pipeline)
        kind = deployment.metadata_connection_config.WhichOneof("connection_config")
        connection = getattr(deployment.metadata_connection_config, kind)
        nodes = [node.pipeline_node for node in pipeline.nodes]
        for node in nodes:
            node.execution_options.caching_options.enable_cache &= node.node_info.id not in NEVER_CACHED
        runs = [NodeRun(node.node_info.id) for node in nodes]
        self._annotate(connection, nodes[0], {**self._record, "state": "running", "started": int(time.time())})
        started = time.monotonic()
        state = "failed"
        try:
            for node, run in zip(nodes, runs, strict=True):
                self._launch(pipeline, node, deployment, connection, run)
                if run.state == "failed":
                    break
            else:
                state = "succeeded"
        except KeyboardInterrupt:
            state = "interrupted"
            raise
        finally:
            seconds = int(1000 * (time.monotonic() - started))
            self._annotate(connection, nodes[0], {"state": state, "milliseconds": seconds})
        return runs

    def _launch(self, pipeline: Any, node: Any, deployment: Any, connection: Any, run: NodeRun) -> None:
        run.state = "running"
        self._listener(run)
        started = time.monotonic()
        try:
            info = launcher.Launcher(
                pipeline_node=node,
                mlmd_connection=metadata.Metadata(connection),
                pipeline_info=pipeline.pipeline_info,
                pipeline_runtime_spec=pipeline.runtime_spec,
                executor_spec=runner_utils.extract_executor_spec(deployment, node.node_info.id),
                custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node.node_info.id),
            ).launch()
            self._read_back(connection, info.execution_id if info else None, run)
        except Exception as error:  # whatever a component raises ends the run and is shown
            if interrupt := interrupt_behind(error):
                raise interrupt from None
            run.state, run.error = "failed", error
        run.seconds = time.monotonic() - started
        self._listener(run)

    def _read_back(self, connection: Any, execution_id: int | None, run: NodeRun) -> None:
        """Take state and outputs from ML Metadata, where a cached execution's outputs are another one's artifacts.

        Files that were made are recorded by their digests. The cache is asked by TFX alone, so what is damaged of its
        files ends this run; put aside, it is made again by the next.

        Raises:
            DamagedError: files of an earlier run are damaged.
        """
        if execution_id is None:
            run.state = "failed"
            run.error = RuntimeError("its inputs were not there")
            return
        with metadata.Metadata(connection) as handle:
            [execution] = handle.store.get_executions_by_id([execution_id])
            events = handle.store.get_events_by_execution_ids([execution_id])
            outputs = {
                event.artifact_id: event.path.steps[0].key
                for event in events
                if event.type in (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)
            }
            artifacts = handle.store.get_artifacts_by_id(list(outputs))
        states = metadata_store_pb2.Execution
        if execution.last_known_state not in (states.COMPLETE, states.CACHED):
            run.state = "failed"
            run.error = RuntimeError("an input is missing: see the log")
            return
        run.state = "cached" if execution.last_known_state == states.CACHED else "done"
        with metadata.Metadata(connection) as handle:
            if run.state == "done":
                record_files(handle.store, artifacts)
            else:
                refuse_damaged(handle.store, artifacts)
        for artifact in artifacts:
            values = {name: getattr(v, v.WhichOneof("value")) for name, v in artifact.custom_properties.items()}
            run.properties[outputs[artifact.id]] = values
            run.uris[outputs[artifact.id]] = artifact.uri

    def _annotate(self, connection: Any, node: Any, values: Mapping[str, str | int]) -> None:
        with metadata.Metadata(connection) as handle:
            contexts = context_lib.prepare_contexts(metadata_handle=handle, node_contexts=node.contexts)
            [context] = [one for one in contexts if one.name == self._run_id]
            for name, value in values.items():
                if isinstance(value, int):
                    context.custom_properties[name].int_value = value
                else:
                    context.custom_properties[name].string_value = value
            handle.store.put_contexts([context])
