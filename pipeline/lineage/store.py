"""One small, read-only interface to a record of runs, and ML Metadata behind it.

Kubeflow Pipelines after 2.18 keeps no ML Metadata; whatever comes in its place needs no more than these calls.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ml_metadata import errors
from ml_metadata.metadata_store import ListOptions, OrderByField, metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb

from components.formats.nodes import node_id

# What TFX calls a run, and what Kubeflow does.
_RUN_TYPES = ("pipeline_run", "system.PipelineRun")
_INPUT = (pb.Event.INPUT, pb.Event.DECLARED_INPUT)


class StoreError(RuntimeError):
    """A store that can't be read, or an id that isn't in it."""


@dataclass(frozen=True)
class Run:
    """One run of the pipeline: `properties` holds what was recorded of it."""

    id: int
    name: str
    created: int
    properties: dict[str, Any]


@dataclass(frozen=True)
class Execution:
    """One run of a component: `state` is RUNNING, COMPLETE, CACHED, FAILED, …; times in milliseconds since 1970."""

    id: int
    component: str
    type: str
    state: str
    created: int
    updated: int
    properties: dict[str, Any]


@dataclass(frozen=True)
class Artifact:
    """Something that a component made; `state` is LIVE, DELETED, ABANDONED and so on."""

    id: int
    type: str
    uri: str
    state: str
    created: int
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """An artifact that an execution took (`is_input`) or made, under the name `key`."""

    execution: int
    artifact: int
    is_input: bool
    key: str


class LineageStore(Protocol):
    """What the commands need of a record of runs."""

    def runs(self) -> list[Run]:
        """Return all runs, the newest first."""

    def executions_of(self, run: Run) -> list[Execution]:
        """Return a run's executions in the order in which they began."""

    def artifacts_of(self, run: Run) -> list[Artifact]:
        """Return a run's artifacts, the reused ones too."""

    def executions(self, ids: Iterable[int] | None = None) -> list[Execution]:
        """Those executions, or all; ids that aren't there are left out."""

    def artifacts(self, ids: Iterable[int] | None = None) -> list[Artifact]:
        """Those artifacts, or all; ids that aren't there are left out."""

    def newest_artifacts(self, limit: int) -> list[Artifact]:
        """So many artifacts, the newest first."""

    def events_of_executions(self, ids: Iterable[int]) -> list[Event]:
        """Return what these executions took and made."""

    def events_of_artifacts(self, ids: Iterable[int]) -> list[Event]:
        """Who took or made these artifacts."""


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
    except sqlite3.DatabaseError:
        raise StoreError(f"{path} is not a SQLite database") from None
    if not {"MLMDEnv", "Execution", "Artifact"} <= tables:
        raise StoreError(f"{path} is a SQLite database, but not one of ML Metadata")


def _checked(config: Any, uri: str) -> "MlmdStore":
    try:
        store = MlmdStore(metadata_store.MetadataStore(config))
        store.load_types()
    except (errors.StatusError, RuntimeError) as error:
        raise StoreError(f"can't read ML Metadata at {uri}: {' '.join(str(error).split())[:300]}") from None
    return store


class MlmdStore:
    """ML Metadata, in a file or behind a server; only ever read."""

    def __init__(self, store: metadata_store.MetadataStore) -> None:
        """Wrap a connected store."""
        self.mlmd = store
        self._execution_types: dict[int, str] = {}
        self._artifact_types: dict[int, str] = {}
        self._run_type = _RUN_TYPES[0]

    def load_types(self) -> None:
        """Learn the names of the types; the first call to reach the store."""
        self._execution_types = {one.id: one.name for one in self.mlmd.get_execution_types()}
        self._artifact_types = {one.id: one.name for one in self.mlmd.get_artifact_types()}
        contexts = {one.name for one in self.mlmd.get_context_types()}
        self._run_type = next((name for name in _RUN_TYPES if name in contexts), _RUN_TYPES[0])

    def runs(self) -> list[Run]:
        """Return all runs, the newest first."""
        found = [
            Run(one.id, one.name, one.create_time_since_epoch, _values(one))
            for one in self.mlmd.get_contexts_by_type(self._run_type)
        ]
        return sorted(found, key=lambda run: -run.id)

    def executions_of(self, run: Run) -> list[Execution]:
        """Return a run's executions in the order in which they began."""
        found = self.mlmd.get_executions_by_context(run.id)
        return sorted((self._execution(one) for one in found), key=lambda one: one.id)

    def artifacts_of(self, run: Run) -> list[Artifact]:
        """Return a run's artifacts, the reused ones too."""
        return sorted(
            (self._artifact(one) for one in self.mlmd.get_artifacts_by_context(run.id)), key=lambda one: one.id
        )

    def executions(self, ids: Iterable[int] | None = None) -> list[Execution]:
        """Those executions, or all."""
        found = self.mlmd.get_executions() if ids is None else self.mlmd.get_executions_by_id(list(ids))
        return [self._execution(one) for one in found]

    def artifacts(self, ids: Iterable[int] | None = None) -> list[Artifact]:
        """Those artifacts, or all."""
        found = self.mlmd.get_artifacts() if ids is None else self.mlmd.get_artifacts_by_id(list(ids))
        return [self._artifact(one) for one in found]

    def newest_artifacts(self, limit: int) -> list[Artifact]:
        """So many artifacts, the newest first."""
        options = ListOptions(limit=limit, order_by=OrderByField.ID, is_asc=False)
        return [self._artifact(one) for one in self.mlmd.get_artifacts(list_options=options)]

    def events_of_executions(self, ids: Iterable[int]) -> list[Event]:
        """Return what these executions took and made."""
        return [_event(one) for one in self.mlmd.get_events_by_execution_ids(list(ids))]

    def events_of_artifacts(self, ids: Iterable[int]) -> list[Event]:
        """Who took or made these artifacts."""
        return [_event(one) for one in self.mlmd.get_events_by_artifact_ids(list(ids))]

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
        )

    def _artifact(self, one: pb.Artifact) -> Artifact:
        return Artifact(
            id=one.id,
            type=self._artifact_types.get(one.type_id, str(one.type_id)),
            uri=one.uri,
            state=pb.Artifact.State.Name(one.state),
            created=one.create_time_since_epoch,
            properties=_values(one),
        )


def _component(kind: str, values: dict[str, Any]) -> str:
    name = kind.rsplit(".", 1)[-1]
    if kind.startswith("system."):  # Kubeflow's own executions
        name = str(values.get("display_name") or values.get("task_name") or name)
    return node_id(name)


def _values(one: Any) -> dict[str, Any]:
    """Properties and custom properties as plain values."""
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
