"""ML Metadata as a record of runs, in a file or behind a server; only ever read."""

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ml_metadata import errors
from ml_metadata.metadata_store import ListOptions, OrderByField, metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb

from components.formats.nodes import TRAINER, node_id, node_of_task, of_fold
from pipeline.lineage.store import Artifact, Event, Execution, Id, Run, StoreError, local_type

# What TFX calls a run, and what Kubeflow does.
_RUN_TYPES = ("pipeline_run", "system.PipelineRun")
# Kubeflow's own executions begin alike. One of them stands for the whole run, and is never ended.
_KUBEFLOW = "system."
_DAG = "system.DAGExecution"
# Under which Kubeflow's driver keeps the parameters of an execution.
_PARAMETERS = "inputs"
_INPUT = (pb.Event.INPUT, pb.Event.DECLARED_INPUT)
# What Kubeflow's driver takes as well; gRPC's own limit is 4 MB.
_LARGEST_MESSAGE = 100 * 1024 * 1024


def open_store(uri: str) -> "MlmdStore":
    """Open a SQLite file, or a server as `grpc://host:port`, for reading.

    Raises:
        StoreError: it isn't there, is no ML Metadata, is locked, or doesn't answer.
    """
    if uri.startswith("grpc://"):
        host, _, port = uri.removeprefix("grpc://").rstrip("/").partition(":")
        if not host or not port.isdigit():
            raise StoreError(f"a server's address is grpc://host:port. Received: {uri}")
        client = pb.MetadataStoreClientConfig(host=host, port=int(port), client_timeout_sec=10)
        client.channel_arguments.max_receive_message_length = _LARGEST_MESSAGE
        return _checked(client, uri)
    path = Path(uri.removeprefix("sqlite://"))
    if not path.is_file():
        raise StoreError(f"no ML Metadata at {path}: run the pipeline first, or name its folder with --workdir")
    _refuse_foreign(path)
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READONLY
    return _checked(config, uri)


def _refuse_foreign(path: Path) -> None:
    """Look into the file first: ML Metadata's own errors don't say what kind of file it found."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2)
        try:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        raise StoreError(
            f"{path} is being written by another program, or was when that was killed ({error}): try again later, or "
            "run the pipeline, which mends it"
        ) from None
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # what it says quotes the damaged text
        raise StoreError(f"{path} is no SQLite database, or a damaged one ({error})") from None
    if not {"MLMDEnv", "Execution", "Artifact"} <= tables:
        raise StoreError(f"{path} is a SQLite database, but not one of ML Metadata")


def _checked(config: Any, uri: str) -> "MlmdStore":
    try:
        store = MlmdStore(metadata_store.MetadataStore(config))
        store.load_types()
    except (errors.StatusError, RuntimeError) as error:
        raise StoreError(f"can't read ML Metadata at {uri}: {' '.join(str(error).split())[:300]}") from None
    return store


class _Asked:
    """ML Metadata's client, whose own errors, such as those of a damaged file, become ours."""

    def __init__(self, client: metadata_store.MetadataStore) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._client, name)

        def ask(*arguments: Any, **options: Any) -> Any:
            try:
                return call(*arguments, **options)
            except errors.StatusError as error:
                said = " ".join(str(error).split())[:300]
                raise StoreError(f"can't read ML Metadata, which is damaged or went away: {said}") from None

        return ask


class MlmdStore:
    """ML Metadata, in a file or behind a server; only ever read."""

    def __init__(self, store: metadata_store.MetadataStore) -> None:
        """Wrap a connected store."""
        self.mlmd = _Asked(store)
        self._execution_types: dict[int, str] = {}
        self._artifact_types: dict[int, str] = {}
        self._run_type = _RUN_TYPES[0]

    def load_types(self) -> None:
        """Learn the names of the types; the first call to reach the store."""
        self._execution_types = {one.id: one.name for one in self.mlmd.get_execution_types()}
        self._artifact_types = {one.id: one.name for one in self.mlmd.get_artifact_types()}
        contexts = {one.name for one in self.mlmd.get_context_types()}
        self._run_type = next((name for name in _RUN_TYPES if name in contexts), _RUN_TYPES[0])

    def runs(self, limit: int | None = None) -> list[Run]:
        """Return all runs, or so many, the newest first."""
        found = sorted(self.mlmd.get_contexts_by_type(self._run_type), key=lambda one: -one.id)
        return [Run(one.id, one.name, one.create_time_since_epoch, _values(one)) for one in found[:limit]]

    def parameters_of(self, run: Run) -> dict[str, Any]:
        """Return what Kubeflow recorded of a run as a whole; TFX records its configuration instead."""
        found = self.mlmd.get_executions_by_context(run.id)
        wholes = [one for one in found if self._execution_types.get(one.type_id) == _DAG]
        # Where a pipeline holds others, the outermost began first.
        return self._execution(min(wholes, key=lambda one: one.id)).parameters if wholes else {}

    def executions_of(self, run: Run) -> list[Execution]:
        """Return the executions of a run's components in the order in which they began."""
        found = sorted(self.mlmd.get_executions_by_context(run.id), key=lambda one: one.id)
        return [self._execution(one) for one in found if self._execution_types.get(one.type_id) != _DAG]

    def artifacts_of(self, run: Run) -> list[Artifact]:
        """Return a run's artifacts in the order in which they were made, the reused ones too."""
        return self._artifacts(self.mlmd.get_artifacts_by_context(run.id))

    def executions(self, ids: Iterable[Id]) -> list[Execution]:
        """Those executions."""
        return [self._execution(one) for one in self.mlmd.get_executions_by_id(_numbers(ids))]

    def artifacts(self, ids: Iterable[Id] | None = None) -> list[Artifact]:
        """Those artifacts, or all."""
        return self._artifacts(
            self.mlmd.get_artifacts() if ids is None else self.mlmd.get_artifacts_by_id(_numbers(ids))
        )

    def newest_artifacts(self, limit: int) -> list[Artifact]:
        """So many artifacts, the newest first."""
        options = ListOptions(limit=limit, order_by=OrderByField.ID, is_asc=False)
        return [self._artifact(one) for one in self.mlmd.get_artifacts(list_options=options)]

    def events_of_executions(self, ids: Iterable[Id]) -> list[Event]:
        """Return what these executions took and made."""
        return [_event(one) for one in self.mlmd.get_events_by_execution_ids(_numbers(ids))]

    def events_of_artifacts(self, ids: Iterable[Id]) -> list[Event]:
        """Who took or made these artifacts."""
        return [_event(one) for one in self.mlmd.get_events_by_artifact_ids(_numbers(ids))]

    def _execution(self, one: pb.Execution) -> Execution:
        kind = self._execution_types.get(one.type_id, str(one.type_id))
        values = _values(one)
        return Execution(
            id=one.id,
            component=_component(kind, values),
            type=kind,
            state=pb.Execution.State.Name(one.last_known_state),
            created=one.create_time_since_epoch,
            updated=one.last_update_time_since_epoch,
            properties=values,
            parameters=values.get(_PARAMETERS, {}) if kind.startswith(_KUBEFLOW) else values,
        )

    def _artifacts(self, found: Iterable[pb.Artifact]) -> list[Artifact]:
        return [self._artifact(one) for one in sorted(found, key=lambda one: one.id)]

    def _artifact(self, one: pb.Artifact) -> Artifact:
        return Artifact(
            id=one.id,
            type=local_type(self._artifact_types.get(one.type_id, str(one.type_id))),
            uri=one.uri,
            state=pb.Artifact.State.Name(one.state),
            created=one.create_time_since_epoch,
            properties=_values(one),
        )


def _component(kind: str, values: dict[str, Any]) -> str:
    name = kind.rsplit(".", 1)[-1]
    if kind.startswith(_KUBEFLOW):
        return node_of_task(str(values.get("task_name") or values.get("display_name") or name))
    component = node_id(name)
    # The Trainers of a run are of one class.
    return of_fold(component, values["fold"]) if component == TRAINER and "fold" in values else component


def _numbers(ids: Iterable[Id]) -> list[int]:
    """Return the ids that ML Metadata may have."""
    return [one for one in ids if isinstance(one, int)]


def _values(one: Any) -> dict[str, Any]:
    """Return properties and custom properties as plain values.

    Raises:
        StoreError: one is damaged.
    """
    try:
        return _plain_values(one)
    except ValueError as error:  # a text that is no UTF-8 any longer
        raise StoreError(f"ML Metadata is damaged at number {one.id}: {error}") from None


def _plain_values(one: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for values in (one.properties, one.custom_properties):
        for name, value in values.items():
            kind = value.WhichOneof("value")
            if kind in ("int_value", "double_value", "string_value", "bool_value"):
                found[name] = getattr(value, kind)
            elif kind == "struct_value":
                from google.protobuf.json_format import MessageToDict

                found[name] = MessageToDict(value.struct_value)
    return found


def _event(one: pb.Event) -> Event:
    key = one.path.steps[0].key if one.path.steps else ""
    return Event(one.execution_id, one.artifact_id, one.type in _INPUT, key)
