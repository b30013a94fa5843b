"""One small, read-only interface to a record of runs, whoever keeps it.

TFX and Kubeflow write ML Metadata each in a way of its own; what is read there looks the same
(`pipeline.lineage.mlmd_store`). Kubeflow Pipelines after 2.18 keeps none: its API answers the same calls
(`pipeline.kubeflow.run_store`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

Id = int | str  # a number in ML Metadata, text in Kubeflow's API


class StoreError(RuntimeError):
    """A store that can't be read, or an id that isn't in it."""


@dataclass(frozen=True)
class Run:
    """One run of the pipeline: `properties` holds what was recorded of it."""

    id: Id
    name: str
    created: int
    properties: dict[str, Any]


@dataclass(frozen=True)
class Execution:
    """One run of a component.

    Attributes:
        id: in its store.
        component: its name in the pipeline.
        type: as the store names it.
        state: RUNNING, COMPLETE, CACHED, FAILED, ….
        created: in milliseconds since 1970.
        updated: in milliseconds since 1970.
        properties: all that was recorded of it.
        parameters: what it was called with, without what a platform adds.
    """

    id: Id
    component: str
    type: str
    state: str
    created: int
    updated: int
    properties: dict[str, Any]
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Artifact:
    """Something that a component made; `state` is LIVE, DELETED, ABANDONED and so on."""

    id: Id
    type: str
    uri: str
    state: str
    created: int
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """An artifact that an execution took (`is_input`) or made, under the name `key`."""

    execution: Id
    artifact: Id
    is_input: bool
    key: str


class LineageStore(Protocol):
    """What the commands need of a record of runs."""

    def runs(self, limit: int | None = None) -> list[Run]:
        """Return all runs, or so many, the newest first."""

    def parameters_of(self, run: Run) -> dict[str, Any]:
        """Return the parameters that were set for a run as a whole."""

    def executions_of(self, run: Run) -> list[Execution]:
        """Return a run's executions in the order in which they began."""

    def artifacts_of(self, run: Run) -> list[Artifact]:
        """Return a run's artifacts in the order in which they were made, the reused ones too."""

    def executions(self, ids: Iterable[Id]) -> list[Execution]:
        """Those executions; ids that aren't there are left out."""

    def artifacts(self, ids: Iterable[Id] | None = None) -> list[Artifact]:
        """Those artifacts, or all, in the order in which they were made; ids that aren't there are left out."""

    def newest_artifacts(self, limit: int) -> list[Artifact]:
        """So many artifacts, the newest first."""

    def events_of_executions(self, ids: Iterable[Id]) -> list[Event]:
        """Return what these executions took and made."""

    def events_of_artifacts(self, ids: Iterable[Id]) -> list[Event]:
        """Who took or made these artifacts."""


def local_type(title: str) -> str:
    """Return an artifact type's name as in a local run; compiled for Kubeflow, those of TFX have a prefix."""
    return title.removeprefix("tfx.")
