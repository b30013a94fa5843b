"""Writes runs into ML Metadata, call by call as driver and launcher of Kubeflow Pipelines 2.17.0 do.

After `backend/src/v2/metadata/client.go` and its callers: types, names, properties, contexts and events are theirs. The
pipeline is a short one of ours; artifact types have the titles that the compiled file gives them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb
from ml_metadata.proto import metadata_store_service_pb2 as service

PIPELINE = "facial-affect"
ROOT = "minio://mlpipeline/v2/artifacts"
# Every task's own log.
LOGS = "executor-logs"
SESSION = json.dumps({"Provider": "minio", "Params": {"fromEnv": "false", "secretName": "mlpipeline-minio-artifact"}})


@dataclass(frozen=True)
class Task:
    """A task: its inputs as (task, output) by name, its outputs as type titles by name."""

    inputs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


TASKS = {
    "image-ingest": Task(outputs={"images": "components.ImageDataset"}),
    "trainer": Task({"images": ("image-ingest", "images")}, {"model": "tfx.Model"}),
    "evaluator": Task(
        {"model": ("trainer", "model")}, {"evaluation": "tfx.ModelEvaluation", "test_metrics": "system.Metrics"}
    ),
    "pusher": Task({"model": ("trainer", "model")}, {"pushed_model": "tfx.PushedModel"}),
    "report": Task({"evaluation": ("evaluator", "evaluation")}, {"report": "system.HTML"}),
}
# What executors record of their outputs; on the way through JSON every number has become a double.
FIGURES: dict[str, dict[str, Any]] = {
    "images": {"images": 2527.0, "data_digest": "d" * 12},
    "evaluation": {"accuracy": 0.9, "blessed": 1.0},
    "test_metrics": {"test_accuracy": 0.9},
    "pushed_model": {"pushed_version": "17", "pushed_destination": "s3://models/17"},
}


class Driver:
    """Runs of one pipeline, written into a store."""

    def __init__(self, store: metadata_store.MetadataStore) -> None:
        self._store = store
        self._made: dict[tuple[str, str], int] = {}

    def run(
        self,
        run_id: str,
        parameters: Mapping[str, Any],
        *,
        last: str = "report",
        state: "pb.Execution.State.ValueType" = pb.Execution.COMPLETE,
        cached: tuple[str, ...] = (),
    ) -> None:
        """Write a run.

        Args:
            run_id: Kubeflow's.
            parameters: of the run; every task gets them.
            last: the last task that began.
            state: what became of that.
            cached: tasks that take the outputs of the run before.
        """
        contexts = self._contexts(run_id)
        root = self._execution(
            pb.Execution(name=f"run/{run_id}"), "system.DAGExecution", {"display_name": "", "task_name": ""}, parameters
        )
        dag = self._put(root, contexts)
        for number, (name, task) in enumerate(TASKS.items()):
            ends = state if name == last else pb.Execution.COMPLETE
            self._task(run_id, number, name, task, dag, contexts, parameters, ends, name in cached)
            if name == last:
                break

    def _task(
        self,
        run_id: str,
        number: int,
        name: str,
        task: Task,
        dag: int,
        contexts: list[pb.Context],
        parameters: Mapping[str, Any],
        ends: "pb.Execution.State.ValueType",
        cached: bool,
    ) -> None:
        pod = {"pod_name": f"trial-{number}-{run_id}", "pod_uid": f"uid-{number}-{run_id}", "namespace": "kubeflow"}
        values = {"display_name": name, "task_name": name, "parent_dag_id": dag, "image": "", **dict.fromkeys(pod, "")}
        values |= {"cache_fingerprint": f"{number}-{json.dumps(parameters)}"}
        values |= {"cached_execution_id": "7"} if cached else {}
        given = {"uri": "s3://faces", "train": json.dumps({"epochs": 20, "batch": 32}), **parameters}
        execution = self._execution(pb.Execution(), "system.ContainerExecution", values, given)
        inputs = {key: self._made[source] for key, source in task.inputs.items()}
        execution.id = self._put(execution, contexts, inputs, pb.Event.INPUT)
        if not cached:  # the launcher, in its pod
            for key, value in pod.items():
                execution.custom_properties[key].string_value = value
            self._put(execution, [])
        if ends == pb.Execution.RUNNING:
            return
        if cached:
            outputs = {key: self._made[name, key] for key in (*task.outputs, LOGS)}
        else:
            published = task.outputs if ends == pb.Execution.COMPLETE else {}
            kinds = {**published, LOGS: "system.Artifact"}
            outputs = {key: self._artifact(run_id, name, key, title) for key, title in kinds.items()}
        self._made |= {(name, key): artifact for key, artifact in outputs.items()}
        execution.last_known_state = pb.Execution.CACHED if cached else ends
        execution.custom_properties["outputs"].struct_value.SetInParent()
        self._put(execution, contexts, outputs, pb.Event.OUTPUT)

    def _contexts(self, run_id: str) -> list[pb.Context]:
        found = []
        recorded = {
            "namespace": "kubeflow",
            "resource_name": "run-resource",
            "pipeline_root": f"{ROOT}/{PIPELINE}/{run_id}",
            "store_session_info": SESSION,
        }
        for kind, name, values in (("system.Pipeline", PIPELINE, {}), ("system.PipelineRun", run_id, recorded)):
            context = self._store.get_context_by_type_and_name(kind, name)
            if context is None:
                context = pb.Context(type_id=self._store.put_context_type(pb.ContextType(name=kind)), name=name)
                _set(context.custom_properties, values)
                [context.id] = self._store.put_contexts([context])
            found.append(context)
        self._store.put_parent_contexts([pb.ParentContext(child_id=found[1].id, parent_id=found[0].id)])
        return found

    def _execution(
        self, execution: pb.Execution, kind: str, values: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> pb.Execution:
        execution.type_id = self._store.put_execution_type(pb.ExecutionType(name=kind))
        execution.last_known_state = pb.Execution.RUNNING
        _set(execution.custom_properties, values)
        if inputs:
            execution.custom_properties["inputs"].struct_value.update(inputs)
        return execution

    def _artifact(self, run_id: str, task: str, key: str, title: str) -> int:
        kind = self._store.put_artifact_type(pb.ArtifactType(name=title))
        page = "/index.html" if title == "system.HTML" else ""
        uri = f"{ROOT}/{PIPELINE}/{run_id}/{task}/5f0c/{key}{page}"
        artifact = pb.Artifact(type_id=kind, uri=uri, state=pb.Artifact.LIVE)
        _set(artifact.custom_properties, FIGURES.get(key, {}))
        _set(artifact.custom_properties, {"display_name": key, "store_session_info": SESSION})
        return int(self._store.put_artifacts([artifact])[0])

    def _put(
        self,
        execution: pb.Execution,
        contexts: list[pb.Context],
        artifacts: Mapping[str, int] | None = None,
        kind: "pb.Event.Type.ValueType" = pb.Event.INPUT,
    ) -> int:
        request = service.PutExecutionRequest(execution=execution, contexts=contexts)
        for key, artifact in (artifacts or {}).items():
            event = request.artifact_event_pairs.add().event
            event.artifact_id, event.type = artifact, kind
            event.path.steps.add().key = key
        response = service.PutExecutionResponse()
        self._store._call_method("PutExecution", request, response)
        return int(response.execution_id)


def _set(target: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, str):
            target[name].string_value = value
        elif isinstance(value, float):
            target[name].double_value = value
        else:
            target[name].int_value = value
