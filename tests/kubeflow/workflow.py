"""A compiled pipeline through Kubeflow's driver and launcher.

Calls the driver as the Workflow does that Kubeflow's API server makes of the file: once for the run, then for each
task, whose pod it describes. What it leaves out is Argo, above all its retries.
"""

import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml
from backend import Backend

_PODS_AT_ONCE = 2
_LAUNCHER = "/kfp-launcher/launch"
_DAG_OUTPUTS = ["execution_id", "iteration_count", "condition"]


@dataclass
class Outcome:
    """What became of one task.

    Attributes:
        status: exit status of its pod; None for a cached one.
        log: what the pod printed.
        seconds: of the pod.
    """

    status: int | None
    log: str
    seconds: float


@dataclass
class Run:
    """One run of a compiled file.

    Attributes:
        backend: where it runs.
        compiled: the compiled file.
        folder: an empty folder, for logs.
        parameters: what the run sets.
        mounts: folders of this machine by the claim that stands for them.
        user: of the pods.
        run_id: Kubeflow's.
        outcomes: of each task so far.
    """

    backend: Backend
    compiled: Path
    folder: Path
    parameters: Mapping[str, Any] = field(default_factory=dict)
    mounts: Mapping[str, Path] = field(default_factory=dict)
    user: int = 1000
    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.spec, *more = yaml.safe_load_all(self.compiled.read_text("utf-8"))
        platform = more[0]["platforms"]["kubernetes"]["deploymentSpec"]["executors"] if more else {}
        self._platform: dict[str, Any] = platform
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def root(self) -> str:
        """Where the run's artifacts are, without a scheme."""
        return f"{self._root_of_all}/{self.spec['pipelineInfo']['name']}/{self.run_id}"

    @property
    def _root_of_all(self) -> str:
        return str(self.spec["defaultPipelineRoot"]).partition("://")[2]

    def artifact(self, task: str, output: str) -> str:
        """The folder of a task's output in the object store."""
        [found] = self.backend.files().glob(f"{self.root}/{task}/*/{output}")
        return str(found)

    @property
    def destination(self) -> str:
        """Where models are pushed unless the configuration says otherwise, without a scheme."""
        return f"{self._root_of_all}/serving_model"

    def why(self) -> str:
        """The end of the last task's log."""
        name, outcome = list(self.outcomes.items())[-1]
        return f"{name}: {outcome.log[-4000:]}"

    def to_its_end(self) -> bool:
        """Run each task when those it needs are done; the first that fails ends it. Return whether none failed.

        A task for the end of others runs however those end, as Argo's hook does, and its own end isn't counted.
        """
        found = self._driver(
            "root",
            ["--type", "ROOT_DAG", "--component", json.dumps(self.spec["root"])],
            ["--runtime_config", json.dumps(self._runtime_config())],
            _DAG_OUTPUTS,
        )
        return self._dag(self.spec["root"]["dag"]["tasks"], found["execution_id"])

    def _dag(self, tasks: Mapping[str, Any], dag: str) -> bool:
        at_the_end = {name for name, task in tasks.items() if _is_for_the_end(task)}
        order = TopologicalSorter({name: set(_needed(tasks[name])) for name in tasks if name not in at_the_end})
        order.prepare()
        running: dict[Future[bool], str] = {}
        pods = ThreadPoolExecutor(_PODS_AT_ONCE)
        try:
            while order.is_active():
                running |= {pods.submit(self._task, name, tasks[name], dag): name for name in order.get_ready()}
                for ended in wait(running, return_when=FIRST_COMPLETED).done:
                    name = running.pop(ended)
                    if not ended.result():
                        return False
                    order.done(name)
        finally:
            pods.shutdown(cancel_futures=True)
            for name in at_the_end:
                self._task(name, tasks[name], dag)
        return True

    def _runtime_config(self) -> dict[str, Any]:
        declared = self.spec["root"].get("inputDefinitions", {}).get("parameters", {})
        defaults = {name: one["defaultValue"] for name, one in declared.items() if "defaultValue" in one}
        # `submit` hands the pipeline root over, Kubeflow's form does by itself.
        return {
            "parameterValues": {**defaults, **self.parameters},
            "gcsOutputDirectory": self.spec["defaultPipelineRoot"],
        }

    def _task(self, name: str, task: Mapping[str, Any], dag: str) -> bool:
        component = self.spec["components"][task["componentRef"]["name"]]
        arguments = ["--dag_execution_id", dag, "--component", json.dumps(component)]
        arguments += ["--task", json.dumps(task), "--task_name", name]
        if "dag" in component:
            found = self._driver(name, ["--type", "DAG", *arguments], ["--runtime_config", ""], _DAG_OUTPUTS)
            return self._dag(component["dag"]["tasks"], found["execution_id"])
        label = component["executorLabel"]
        container = self.spec["deploymentSpec"]["executors"][label]["container"]
        arguments += ["--type", "CONTAINER", "--container", json.dumps(container)]
        if label in self._platform:
            arguments += ["--kubernetes_config", json.dumps(self._platform[label])]
        found = self._driver(name, arguments, [], ["cached_decision", "pod_spec_patch", "condition"])
        self.outcomes[name] = (
            Outcome(None, "", 0.0)
            if found["cached_decision"] == "true"
            else self._pod(name, json.loads(found["pod_spec_patch"]))
        )
        return not self.outcomes[name].status

    def _driver(self, name: str, arguments: list[str], more: list[str], outputs: list[str]) -> dict[str, str]:
        """Call the driver, and return what it hands to the Workflow.

        Raises:
            RuntimeError: it failed; the message is the end of its log.
        """
        backend = self.backend
        folder = self.folder / f"{name}-driver"
        folder.mkdir()
        folder.chmod(0o777)
        line = ["/bin/kfp-driver", *arguments, *more, "--pipeline_name", self.spec["pipelineInfo"]["name"]]
        line += ["--run_id", self.run_id, "--run_name", "trial", "--run_display_name", "trial"]
        line += ["--pipeline_job_create_time_utc", "2026-01-01T00:00:00Z"]
        line += ["--ml_pipeline_server_address", "127.0.0.1", "--ml_pipeline_server_port", str(backend.tasks_port)]
        line += ["--mlmd_server_address", "127.0.0.1", "--mlmd_server_port", str(backend.metadata_port)]
        line += ["--http_proxy", "", "--https_proxy", "", "--no_proxy", ""]
        line += [part for output in outputs for part in (f"--{output}_path", f"/tmp/outputs/{output}")]
        log = self.folder / f"{name}-driver.log"
        status = backend.pod(
            line,
            log,
            _names(f"{name}-driver"),
            files={"/bin/kfp-driver": backend.binaries / "driver"},
            mounts={"/tmp/outputs": folder},
            user=65532,
        )
        if status:
            raise RuntimeError(f"driver of {name}: {log.read_text('utf-8', 'replace')[-3000:]}")
        files = {output: folder / output for output in outputs}
        return {output: file.read_text("utf-8") if file.exists() else "" for output, file in files.items()}

    def _pod(self, name: str, patch: dict[str, Any]) -> Outcome:
        container = patch["containers"][0]
        environment = _names(name)
        for variable in container.get("env", []):
            secret = variable.get("valueFrom", {}).get("secretKeyRef")
            environment[variable["name"]] = (
                self.backend.cluster.secrets[secret["name"]][secret["key"]] if secret else variable.get("value", "")
            )
        claims = {
            volume["name"]: volume["persistentVolumeClaim"]["claimName"]
            for volume in patch.get("volumes", [])
            if "persistentVolumeClaim" in volume
        }
        mounts = {
            mount["mountPath"]: self.mounts[claims[mount["name"]]]
            for mount in container.get("volumeMounts", [])
            if mount["name"] in claims
        }
        # Kubernetes puts variables into commands: $(KFP_POD_NAME).
        command = [
            re.sub(r"\$\((\w+)\)", lambda found: environment.get(found[1], found[0]), word)
            for word in (*container["command"], *container["args"])
        ]
        log, started = self.folder / f"{name}.log", time.monotonic()
        status = self.backend.pod(
            command,
            log,
            environment,
            files={_LAUNCHER: self.backend.binaries / "launcher-v2"},
            mounts=mounts,
            user=self.user,
        )
        return Outcome(status, log.read_text("utf-8", "replace"), time.monotonic() - started)


def _names(name: str) -> dict[str, str]:
    return {"KFP_POD_NAME": f"trial-{name}", "KFP_POD_UID": str(uuid.uuid4())}


def _is_for_the_end(task: Mapping[str, Any]) -> bool:
    return bool(task.get("triggerPolicy", {}).get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED")


def _needed(task: Mapping[str, Any]) -> Iterator[str]:
    yield from task.get("dependentTasks", [])
    for source in task.get("inputs", {}).get("artifacts", {}).values():
        yield source["taskOutputArtifact"]["producerTask"]
