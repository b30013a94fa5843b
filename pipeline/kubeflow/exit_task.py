"""Wraps a compiled pipeline so that something runs at its end, however it ends: Kubeflow's exit handler. Pure.

As kfp's compiler writes one: all tasks go into a DAG of their own, `exit-handler-1`, and beside it stands the task that
waits for that DAG to end. Argo gets it as a hook at the DAG's exit, so it can't stand beside the tasks themselves: each
of those would call it. What ended isn't handed over as `taskFinalStatus`, which releases before 2.14 fail at.
"""

from typing import Any

from components.formats.nodes import NOTICE, kebab
from pipeline.kubeflow.options import TaskOptions
from pipeline.kubeflow.spec import requested

Spec = dict[str, Any]

HANDLER = "exit-handler-1"
API = "http://ml-pipeline.kubeflow:8888"  # where pods find it in an installation as it comes
_COMMAND = ("python", "-m", "pipeline.kubeflow.exit_notice")
_RUN = "run"  # the run's id, which the driver fills in
_RUN_ID = "{{$.pipeline_job_uuid}}"


def with_exit_task(spec: Spec, image: str, variable: str, host: str, options: TaskOptions) -> Spec:
    """Return a pipeline that tells of its end.

    Args:
        spec: the pipeline.
        image: of the task.
        variable: the environment variable in which the webhook's URL is.
        host: of Kubeflow Pipelines' API.
        options: of the task.
    """
    given = spec["root"]["inputDefinitions"]["parameters"]
    task, label = kebab(NOTICE), f"exec-{kebab(NOTICE)}"
    arguments = ["--run", f"{{{{$.inputs.parameters['{_RUN}']}}}}", "--webhook-env", variable, "--host", host]
    container = {"image": image, "command": list(_COMMAND), "args": arguments, **requested(options)}
    components = {
        **spec["components"],
        f"comp-{HANDLER}": {
            "dag": spec["root"]["dag"],
            "inputDefinitions": {
                "parameters": {name: {"parameterType": one["parameterType"]} for name, one in given.items()}
            },
        },
        f"comp-{task}": {
            "executorLabel": label,
            "inputDefinitions": {"parameters": {_RUN: {"parameterType": "STRING"}}},
        },
    }
    tasks = {
        HANDLER: {
            "taskInfo": {"name": HANDLER},
            "componentRef": {"name": f"comp-{HANDLER}"},
            "inputs": {"parameters": {name: {"componentInputParameter": name} for name in given}},
        },
        task: {
            "taskInfo": {"name": task},
            "componentRef": {"name": f"comp-{task}"},
            "inputs": {"parameters": {_RUN: {"runtimeValue": {"constant": _RUN_ID}}}},
            "dependentTasks": [HANDLER],
            "triggerPolicy": {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"},
            "cachingOptions": {},
        },
    }
    executors = {**spec["deploymentSpec"]["executors"], label: {"container": container}}
    return {
        **spec,
        "components": components,
        "deploymentSpec": {"executors": executors},
        "root": {**spec["root"], "dag": {"tasks": tasks}},
    }


def tasks_of(spec: Spec) -> Spec:
    """Return the tasks of a compiled pipeline's components by name, with an exit task or without."""
    tasks: Spec = spec["root"]["dag"]["tasks"]
    if HANDLER in tasks:
        tasks = spec["components"][tasks[HANDLER]["componentRef"]["name"]]["dag"]["tasks"]
    return tasks
