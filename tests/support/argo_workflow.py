"""Draws a Workflow as Argo 4.0 leaves it behind a run of a compiled pipeline, at any moment of the run.

No Argo is in it: names, ids, phases and messages are written as Argo's controller and Kubeflow's compiler write them.
With release 2.17's own ConfigMap (`templateDefaults` has a `retryStrategy`) everything may be retried, so that a node
of type Retry stands before each pod and before each DAG, that of the whole run included.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

FAILED = "main: Error (exit code 1)"
NAME, NAMESPACE = "facial-affect-x7k2p", "kubeflow"


def fnv32a(text: str) -> int:
    """Return the hash in Argo's names of nodes and pods."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def pod_name(task: str, attempt: int | None = None, stock: bool = False) -> str:
    """Return the name of a task's pod.

    Args:
        task: of the pipeline.
        attempt: from 0 on, of a task whose own settings have it retried.
        stock: with release 2.17's own ConfigMap.
    """
    again = "(0)" if stock else ""
    number = again if attempt is None else f"({attempt})"
    template = "system-container-impl" if attempt is None else "retry-system-container-impl"
    return f"{NAME}-{template}-{fnv32a(f'{NAME}{again}.root{again}.{task}{again}.executor{number}')}"


@dataclass
class Workflow:
    """What Argo knows of a run; tasks are added in the state that they are in.

    Attributes:
        now: the moment at which it is looked at.
        nodes: by id.
        terminated: whether somebody ended the run, as Kubeflow does it.
        stock: whether everything may be retried.
    """

    now: datetime = field(default_factory=lambda: datetime.now(timezone.utc).replace(microsecond=0))
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    terminated: bool = False
    stock: bool = False

    def done(self, task: str, seconds: int = 60) -> "Workflow":
        """Add one that ran and succeeded."""
        self._driver(task, seconds)
        self._node(f"root.{task}", "DAG", "Succeeded", seconds, 0)
        return self._node(f"root.{task}.executor", "Pod", "Succeeded", seconds, 0)

    def cached(self, task: str) -> "Workflow":
        """Add one whose driver found an earlier result."""
        self._driver(task, 5)
        self._node(f"root.{task}", "DAG", "Succeeded", 1, 0)
        message = "when 'true != true' evaluated false"
        return self._node(f"root.{task}.executor", "Skipped", "Skipped", 1, 0, message)

    def running(self, task: str, seconds: int = 60) -> "Workflow":
        """Add one whose pod is at work."""
        self._driver(task, seconds)
        self._node(f"root.{task}", "DAG", "Running", seconds)
        return self._node(f"root.{task}.executor", "Pod", "Running", seconds)

    def pending(self, task: str, seconds: int, message: str) -> "Workflow":
        """Add one whose pod hasn't started."""
        self._driver(task, seconds)
        self._node(f"root.{task}", "DAG", "Running", seconds)
        return self._node(f"root.{task}.executor", "Pod", "Pending", seconds, None, message)

    def failed(self, task: str, message: str = FAILED, phase: str = "Failed") -> "Workflow":
        """Add one whose pod failed, or vanished."""
        self._driver(task, 60)
        self._node(f"root.{task}", "DAG", phase, 60, 0)
        return self._node(f"root.{task}.executor", "Pod", phase, 60, 0, message)

    def retried(self, task: str, *phases: str) -> "Workflow":
        """Add one with retries: a phase for each attempt so far."""
        self._driver(task, 300)
        last = phases[-1]
        whole = last if last in ("Succeeded", "Failed") else "Running"
        ended = None if whole == "Running" else 0
        self._node(f"root.{task}", "DAG", whole, 300, ended)
        self._node(f"root.{task}.executor", "Retry", whole, 300, ended)
        for number, phase in enumerate(phases):
            message = FAILED if phase == "Failed" else ""
            over = None if phase in ("Running", "Pending") else 0
            self._node(f"root.{task}.executor({number})", "Pod", phase, 300 - 60 * number, over, message, "retry-")
        return self

    def unresolved(self, task: str) -> "Workflow":
        """Add one whose driver failed, so that Argo left the task itself out."""
        self._node(f"root.{task}-driver", "Pod", "Failed", 30, 0, FAILED, template="system-dag-driver")
        return self.omitted(task)

    def not_begun(self, phase: str, message: str, seconds: int = 300) -> "Workflow":
        """Add the pod that begins the run, in trouble."""
        ended = None if phase == "Pending" else 0
        return self._node("root-driver", "Pod", phase, seconds, ended, message, template="system-dag-driver")

    def again(self, task: str, *phases: str) -> "Workflow":
        """Add one whose pods vanished so often that Argo begins the whole task once more: a phase for each such pod."""
        self._driver(task, 300)
        prefix = f"{NAME}(0).root(0).{task}"
        self._named(prefix, "Retry", "Running", 300)
        for number, phase in enumerate(phases):
            over = None if phase == "Running" else 0
            message = "pod deleted" if phase == "Error" else ""
            self._named(f"{prefix}({number})", "DAG", phase, 300 - number, over)
            self._named(f"{prefix}({number}).executor", "Retry", phase, 300 - number, over)
            self._named(f"{prefix}({number}).executor(0)", "Pod", phase, 300 - number, over, message)
        return self

    def omitted(self, task: str) -> "Workflow":
        """Add one that another's failure kept from beginning."""
        return self._node(f"root.{task}", "Skipped", "Omitted", 0, 0, "omitted: depends condition not met")

    def as_mapping(self) -> dict[str, Any]:
        """Return the manifest."""
        parents = (
            [NAME, f"{NAME}(0)", f"{NAME}(0).root", f"{NAME}(0).root(0)"] if self.stock else [NAME, f"{NAME}.root"]
        )
        for number, parent in enumerate(parents):
            self._named(parent, "Retry" if self.stock and number % 2 == 0 else "DAG", "Running", 1000)
        metadata = {"name": NAME, "namespace": NAMESPACE, "annotations": {}}
        spec = {"activeDeadlineSeconds": 0} if self.terminated else {}
        return {"metadata": metadata, "spec": spec, "status": {"phase": "Running", "nodes": self.nodes}}

    def as_json(self) -> str:
        """Return the manifest as Kubeflow's API hands it out."""
        return json.dumps(self.as_mapping())

    def _driver(self, task: str, seconds: int) -> None:
        name = f"root.{task}-driver"
        self._node(name, "Pod", "Succeeded", seconds + 10, seconds, template="system-container-driver")

    def _node(
        self,
        way: str,
        kind: str,
        phase: str,
        started: int,
        ended: int | None = None,
        message: str = "",
        prefix: str = "",
        template: str = "",
    ) -> "Workflow":
        template = template or prefix + ("system-container-impl" if kind == "Pod" else "system-container-executor")
        name = f"{NAME}.{way}"
        if self.stock:
            *parents, last = name.split(".")
            name = "".join(f"{parent}(0)." for parent in parents) + last
            if kind in ("Pod", "DAG") and not last.endswith(")"):
                whole = "Running" if phase == "Pending" else phase
                self._named(name, "Retry", whole, started, ended, message if ended is not None else "", template)
                name += "(0)"
        return self._named(name, kind, phase, started, ended, message, template)

    def _named(
        self,
        name: str,
        kind: str,
        phase: str,
        started: int,
        ended: int | None = None,
        message: str = "",
        template: str = "system-container-impl",
    ) -> "Workflow":
        node_id = f"{NAME}-{fnv32a(name)}"
        node = {
            "id": node_id,
            "name": name,
            "displayName": name.rpartition(".")[2],
            "type": kind,
            "templateName": template,
            "phase": phase,
            "startedAt": self._ago(started),
            "finishedAt": None if ended is None else self._ago(ended),
        }
        self.nodes[node_id] = node | ({"message": message} if message else {})
        return self

    def _ago(self, seconds: int) -> str:
        return (self.now - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
