"""Reshapes the IR that TFX compiles into the one that Kubeflow's own compiler would write.

Plain dicts in, plain dicts out. TFX names components, executors and tasks after the node (`Trainer`), which is unfit
for pods and for kfp, which strips a prefix `comp-` blindly; it describes artifact types by a schema that kfp can't
read; and it has no word for resources, environment, retries, or the defaults of parameters.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.kubeflow.options import TaskOptions

Spec = dict[str, Any]

# Artifact types that Kubeflow's pages know how to show.
SHOWN_AS = {"components.HtmlReport": "system.HTML"}
_SCHEMA_VERSION = "0.0.1"
# Executors that need an entry of their own on Kubeflow; see executors.py.
_EXECUTORS = {
    "tfx.components.distribution_validator.executor.Executor": (
        "pipeline.kubeflow.executors.DistributionValidatorExecutor"
    )
}
_INPUTS_SPEC = "--json_serialized_inputs_spec_args"
# A component with this parameter also gets the parameters that are set for each run; see run_values.py.
_RECIPE = "recipe"
# What would hide that the world outside has changed: the data folder, the models at the destination.
NEVER_CACHED = ("ImageIngest", "BaselineFinder")


@dataclass(frozen=True)
class Parameter:
    """A parameter of the compiled pipeline.

    Attributes:
        default: its value when a run doesn't set it.
        decisive: whether it decides which model comes out.
        description: for people.
    """

    default: str | int
    decisive: bool
    description: str

    @property
    def ir_type(self) -> str:
        """As the IR names it."""
        return "NUMBER_INTEGER" if isinstance(self.default, int) else "STRING"


def kebab(name: str) -> str:
    """`TFRecordConverter` → `tf-record-converter`; whatever a pod's name can't hold becomes a hyphen."""
    words = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1-\2", name)
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", words)
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def reshape(
    spec: Spec,
    name: str,
    description: str,
    root: str,
    parameters: Mapping[str, Parameter],
    tasks: Mapping[str, TaskOptions],
) -> Spec:
    """The IR under kfp's names, with defaults, resources, environment, retries and caching.

    Args:
        spec: `pipelineSpec` of TFX's runner.
        name: of the pipeline.
        description: of the pipeline.
        root: where artifacts go unless a run says otherwise.
        parameters: by name.
        tasks: options of every node.
    """
    decisive = {key: value for key, value in parameters.items() if value.decisive}
    components, executors, dag = {}, {}, {}
    for node, component in spec["components"].items():
        components[f"comp-{kebab(node)}"] = shaped = _component(node, component, decisive)
        executor = spec["deploymentSpec"]["executors"][component["executorLabel"]]
        executors[f"exec-{kebab(node)}"] = _executor(executor, shaped, tasks[node])
        dag[kebab(node)] = _task(node, spec["root"]["dag"]["tasks"][node], shaped, decisive, tasks[node])
    return {
        "pipelineInfo": {"name": name, "description": description},
        "defaultPipelineRoot": root,
        "schemaVersion": spec["schemaVersion"],
        "sdkVersion": spec["sdkVersion"],
        "components": components,
        "deploymentSpec": {"executors": executors},
        "root": {
            "dag": {"tasks": dag},
            "inputDefinitions": {"parameters": {key: _definition(value) for key, value in parameters.items()}},
        },
    }


def _definition(parameter: Parameter) -> Spec:
    return {
        "parameterType": parameter.ir_type,
        "defaultValue": parameter.default,
        "isOptional": True,
        "description": parameter.description,
    }


def _component(node: str, component: Spec, decisive: Mapping[str, Parameter]) -> Spec:
    shaped = json.loads(json.dumps(component)) | {"executorLabel": f"exec-{kebab(node)}"}
    for side in ("inputDefinitions", "outputDefinitions"):
        for artifact in shaped.get(side, {}).get("artifacts", {}).values():
            artifact["artifactType"] = _artifact_type(artifact["artifactType"])
    inputs = shaped.get("inputDefinitions", {}).get("parameters", {})
    if _RECIPE in inputs:
        inputs |= {key: {"parameterType": value.ir_type} for key, value in decisive.items()}
    return shaped


def _artifact_type(artifact: Spec) -> Spec:
    title = artifact.get("schemaTitle")
    if title is None:
        found = re.search(r"^title: *(\S+)", artifact["instanceSchema"], re.MULTILINE)
        if found is None:
            raise ValueError(f"an artifact type without title. Received: {artifact['instanceSchema']}")
        title = found[1]
    return {"schemaTitle": SHOWN_AS.get(title, title), "schemaVersion": _SCHEMA_VERSION}


def _executor(executor: Spec, component: Spec, task: TaskOptions) -> Spec:
    container = dict(executor["container"])
    arguments = [_EXECUTORS.get(argument, argument) for argument in container["args"]]
    arguments[arguments.index(_INPUTS_SPEC) + 1] = json.dumps(component.get("inputDefinitions", {}), sort_keys=True)
    container["args"] = arguments
    env = dict(task.env)
    if task.gpu and "gpu" in task.gpu.type:  # what was asked for must be seen there, or the Trainer stops
        env.setdefault("PIPELINE_GPUS", str(task.gpu.count))
    if env:
        container["env"] = [{"name": name, "value": value} for name, value in sorted(env.items())]
    if resources := _resources(task):
        container["resources"] = resources
    return {"container": container}


def _resources(task: TaskOptions) -> Spec:
    """Quantities as text, and as the numbers that older backends read."""
    found: Spec = {}
    for key, text, number in (
        ("cpuLimit", task.cpu, cores),
        ("cpuRequest", task.cpu_request, cores),
        ("memoryLimit", task.memory, gigabytes),
        ("memoryRequest", task.memory_request, gigabytes),
    ):
        if text is not None:
            found |= {key: number(text), f"resource{key[0].upper()}{key[1:]}": text}
    if task.gpu:
        kind, count = task.gpu.type, str(task.gpu.count)
        found["accelerator"] = {"type": kind, "count": count, "resourceType": kind, "resourceCount": count}
    return found


_FACTORS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_FACTORS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def cores(quantity: str) -> float:
    """`500m` → 0.5."""
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def gigabytes(quantity: str) -> float:
    """`16Gi` → 17.179869184."""
    number = quantity.rstrip("kKMGTi")
    return float(number) * _FACTORS[quantity[len(number) :]] / 1e9


def _task(node: str, task: Spec, component: Spec, decisive: Mapping[str, Parameter], options: TaskOptions) -> Spec:
    shaped: Spec = json.loads(json.dumps(task))
    shaped["taskInfo"] = {"name": kebab(node)}
    shaped["componentRef"] = {"name": f"comp-{kebab(node)}"}
    if "dependentTasks" in shaped:
        shaped["dependentTasks"] = sorted(kebab(name) for name in shaped["dependentTasks"])
    inputs = shaped.get("inputs", {})
    for artifact in inputs.get("artifacts", {}).values():
        source = artifact["taskOutputArtifact"]
        source["producerTask"] = kebab(source["producerTask"])
    if _RECIPE in component.get("inputDefinitions", {}).get("parameters", {}):
        inputs["parameters"] |= {key: {"componentInputParameter": key} for key in decisive}
    cache = options.cache if options.cache is not None else node not in NEVER_CACHED
    shaped["cachingOptions"] = {"enableCache": True} if cache else {}
    if options.retry and options.retry.count:
        shaped["retryPolicy"] = {
            "maxRetryCount": options.retry.count,
            "backoffDuration": _seconds(options.retry.backoff),
            "backoffFactor": options.retry.factor,
            "backoffMaxDuration": _seconds(options.retry.longest),
        }
    return shaped


def _seconds(duration: str) -> str:
    return f"{int(duration[:-1]) * {'s': 1, 'm': 60, 'h': 3600}[duration[-1]]}s"
