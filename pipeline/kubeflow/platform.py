"""What belongs to Kubernetes and not to the pipeline: secrets, volumes, nodes.

Only in the words that every release of Kubeflow Pipelines since 2.0 reads: up to 2.4 the driver fails at a field that
it doesn't know, and the newest still reads the oldest.
"""

from collections.abc import Mapping
from typing import Any

from components.formats.nodes import kebab
from pipeline.kubeflow.options import KubeflowOptions, TaskOptions, TolerationOptions


def platform_spec(options: KubeflowOptions, tasks: Mapping[str, TaskOptions]) -> dict[str, Any] | None:
    """Return the second document of the compiled file; None if nothing belongs there.

    Args:
        options: for the image pull secrets.
        tasks: options of every node.
    """
    executors = {f"exec-{kebab(node)}": _executor(task, options.image_pull_secrets) for node, task in tasks.items()}
    found = {name: executor for name, executor in executors.items() if executor}
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": found}}}} if found else None


def _executor(task: TaskOptions, pull_secrets: tuple[str, ...]) -> dict[str, Any]:
    lists: dict[str, list[dict[str, Any]]] = {
        "secretAsEnv": [
            {
                "secretName": item.secret,
                "keyToEnv": [{"secretKey": key, "envVar": name} for key, name in sorted(item.keys.items())],
            }
            for item in task.secret_env
        ],
        "pvcMount": [{"constant": item.claim, "mountPath": item.path} for item in task.pvc],
        "tolerations": [_toleration(item) for item in task.tolerations],
        "imagePullSecret": [{"secretName": name} for name in pull_secrets],
    }
    executor: dict[str, Any] = {key: items for key, items in lists.items() if items}
    if task.node_selector:
        executor["nodeSelector"] = {"labels": dict(sorted(task.node_selector.items()))}
    return executor


def _toleration(toleration: TolerationOptions) -> dict[str, str]:
    return {key: value for key, value in toleration.model_dump().items() if value is not None}
