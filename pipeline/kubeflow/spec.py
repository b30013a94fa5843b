"""Reshapes the IR that TFX compiles into the one that Kubeflow's own compiler would write.

Plain dicts in, plain dicts out. TFX names components, executors and tasks after the node (`Trainer`), which is unfit
for pods and for kfp, which strips a prefix `comp-` blindly; it describes artifact types by a schema that kfp can't
read; it hands a value on by an artifact beside the parameter; and it has no word for resources, environment, retries,
or the defaults of parameters.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from components.formats import nodes
from components.formats.nodes import kebab
from components.tools.environment import GPUS
from pipeline.kubeflow.options import TaskOptions
from pipeline.kubeflow.parameters import Parameter, Rule
from pipeline.kubeflow.shown_metrics import metrics_of

Spec = dict[str, Any]

# Artifact types that Kubeflow's pages know how to show.
SHOWN_AS = {"components.HtmlReport": "system.HTML"}
_SCHEMA_VERSION = "0.0.1"
_INPUTS_SPEC = "--json_serialized_inputs_spec_args"
# A component with this parameter also gets the parameters that are set for each run; see run_values.py.
_RECIPE = "recipe"
# Beside the inputs that TFX declares, in the same argument, which TFX reads ignoring what it doesn't know.
RULES = "rules"
MAKERS = "makers"
# An argument that says nothing but that a component is to run once more: Kubeflow's cache goes by arguments.
AGAIN = "--again"
# What always runs; and what nobody looks for beforehand: the images to predict, that have come since.
NEVER_CACHED = (*nodes.NEVER_CACHED, nodes.BATCH_PREDICT)


def reshape(
    spec: Spec,
    name: str,
    description: str,
    root: str,
    parameters: Mapping[str, Parameter],
    rules: Mapping[str, Rule],
    tasks: Mapping[str, TaskOptions],
) -> Spec:
    """Return the IR under kfp's names, with defaults, resources, environment, retries and caching.

    Args:
        spec: `pipelineSpec` of TFX's runner.
        name: of the pipeline.
        description: of the pipeline.
        root: where artifacts go unless a run says otherwise.
        parameters: by name.
        rules: which values a parameter can have, by its name.
        tasks: options of every node.
    """
    components, executors, dag = {}, {}, {}
    for node, component in spec["components"].items():
        task = spec["root"]["dag"]["tasks"][node]
        added = _added_parameters(component, parameters)
        components[f"comp-{kebab(node)}"] = shaped = _component(node, component, added)
        dag[kebab(node)] = _task(node, task, added, tasks[node])
        executor = spec["deploymentSpec"]["executors"][component["executorLabel"]]
        told = {RULES: _rules(dag[kebab(node)], rules), MAKERS: _makers(task)}
        executors[f"exec-{kebab(node)}"] = _executor(executor, shaped, told, tasks[node])
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


def is_cached(node: str, options: TaskOptions) -> bool:
    """Return whether a component's earlier results are taken."""
    return node not in NEVER_CACHED and options.cache is not False


def _added_parameters(component: Spec, parameters: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """Return the run's parameters that a component gets beside its own: those that decide a model, if it knows one."""
    if _RECIPE not in component.get("inputDefinitions", {}).get("parameters", {}):
        return {}
    return {key: value for key, value in parameters.items() if value.decisive}


def _component(node: str, component: Spec, added: Mapping[str, Parameter]) -> Spec:
    shaped: Spec = json.loads(json.dumps(component)) | {"executorLabel": f"exec-{kebab(node)}"}
    for side in ("inputDefinitions", "outputDefinitions"):
        for artifact in shaped.get(side, {}).get("artifacts", {}).values():
            artifact["artifactType"] = _artifact_type(artifact["artifactType"])
    outputs = shaped.get("outputDefinitions", {})
    for key in outputs.get("parameters", {}):
        del outputs["artifacts"][key]  # by which TFX would hand the value on
    if not outputs.get("artifacts", True):
        del outputs["artifacts"]
    for key, title in metrics_of(node):
        outputs["artifacts"][key] = {"artifactType": _artifact_type({"schemaTitle": title})}
    if added:
        inputs = shaped["inputDefinitions"]["parameters"]
        inputs |= {key: {"parameterType": value.ir_type} for key, value in added.items() if key not in inputs}
    return shaped


def _rules(task: Spec, rules: Mapping[str, Rule]) -> Spec:
    """Return the rules by input of the task, with the name of the run's parameter."""
    taken = {
        key: source["componentInputParameter"]
        for key, source in task.get("inputs", {}).get("parameters", {}).items()
        if "componentInputParameter" in source
    }
    return {key: {"parameter": name, **rules[name]} for key, name in taken.items()}


def _makers(task: Spec) -> dict[str, str]:
    """Return the component that makes each input."""
    taken = task.get("inputs", {}).get("artifacts", {})
    return {key: source["taskOutputArtifact"]["producerTask"] for key, source in taken.items()}


def _artifact_type(artifact: Spec) -> Spec:
    title = artifact.get("schemaTitle")
    if title is None:
        found = re.search(r"^title: *(\S+)", artifact["instanceSchema"], re.MULTILINE)
        if found is None:
            raise ValueError(f"an artifact type without title. Received: {artifact['instanceSchema']}")
        title = found[1]
    return {"schemaTitle": SHOWN_AS.get(title, title), "schemaVersion": _SCHEMA_VERSION}


def read_rules(spec: Spec) -> dict[str, Rule]:
    """Return the rules that a compiled file holds, by the run's parameter."""
    found: dict[str, Rule] = {}
    for executor in spec["deploymentSpec"]["executors"].values():
        arguments = executor["container"]["args"]
        if _INPUTS_SPEC not in arguments:  # the exit task's, which is no component
            continue
        declared = json.loads(arguments[arguments.index(_INPUTS_SPEC) + 1])
        found |= {rule["parameter"]: rule for rule in declared.get(RULES, {}).values()}
    return found


def once_more(spec: Spec, node: str) -> None:
    """Let a component run once more than a compiled file has it, in place, and then come from the cache again."""
    arguments = spec["deploymentSpec"]["executors"][f"exec-{kebab(node)}"]["container"]["args"]
    if AGAIN in arguments:
        place = arguments.index(AGAIN) + 1
        arguments[place] = str(int(arguments[place]) + 1)
    else:
        arguments += [AGAIN, "1"]


def _executor(executor: Spec, component: Spec, told: Spec, task: TaskOptions) -> Spec:
    container = dict(executor["container"])
    arguments = list(container["args"])
    declared = component.get("inputDefinitions", {}) | {key: value for key, value in told.items() if value}
    arguments[arguments.index(_INPUTS_SPEC) + 1] = json.dumps(declared, sort_keys=True, ensure_ascii=False)
    container["args"] = arguments + ([AGAIN, str(task.again)] if task.again else [])
    return {"container": {**container, **requested(task)}}


def requested(task: TaskOptions) -> Spec:
    """Return what a container asks of the cluster: environment and resources."""
    found: Spec = {}
    env = dict(task.env)
    if task.gpu and "gpu" in task.gpu.type:  # what was asked for must be seen there, or the Trainer stops
        env.setdefault(GPUS, str(task.gpu.count))
    if env:
        found["env"] = [{"name": name, "value": value} for name, value in sorted(env.items())]
    if resources := _resources(task):
        found["resources"] = resources
    return found


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
    """Return `500m` → 0.5."""
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def gigabytes(quantity: str) -> float:
    """Return `16Gi` → 17.179869184."""
    number = quantity.rstrip("kKMGTi")
    return float(number) * _FACTORS[quantity[len(number) :]] / 1e9


def _task(node: str, task: Spec, added: Mapping[str, Parameter], options: TaskOptions) -> Spec:
    shaped: Spec = json.loads(json.dumps(task))
    shaped["taskInfo"] = {"name": kebab(node)}
    shaped["componentRef"] = {"name": f"comp-{kebab(node)}"}
    if "dependentTasks" in shaped:
        shaped["dependentTasks"] = sorted(kebab(name) for name in shaped["dependentTasks"])
    inputs = shaped.get("inputs", {})
    taken: set[tuple[str, str]] = set()
    for key, artifact in inputs.get("artifacts", {}).items():
        source = artifact["taskOutputArtifact"]
        source["producerTask"] = kebab(source["producerTask"])
        pair = (source["producerTask"], source["outputArtifactKey"])
        if pair in taken:  # the driver records one event an execution and artifact, and fails at the second
            raise ValueError(f"{node} takes {'.'.join(pair)} twice, which Kubeflow can't do. Received: {key}")
        taken.add(pair)
    for parameter in inputs.get("parameters", {}).values():
        if source := parameter.get("taskOutputParameter"):
            source["producerTask"] = kebab(source["producerTask"].removesuffix("_task"))
    if added:
        given = inputs.setdefault("parameters", {})
        sources = [source.get("componentInputParameter") for source in given.values()]
        given |= {key: {"componentInputParameter": key} for key in added if key not in sources}
    shaped["cachingOptions"] = {"enableCache": True} if is_cached(node, options) else {}
    if options.retry and options.retry.count:
        shaped["retryPolicy"] = {
            "maxRetryCount": options.retry.count,
            "backoffDuration": f"{options.retry.backoff_seconds}s",
            "backoffFactor": options.retry.factor,
            "backoffMaxDuration": f"{options.retry.longest_seconds}s",
        }
    return shaped
