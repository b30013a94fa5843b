"""Compiles the pipeline that runs locally to Kubeflow Pipelines v2.

compile_pipeline(load(), Target(image="registry/affect:1", root="minio://mlpipeline/v2", data="s3://faces"))

returns the text of the YAML file: the IR (schema 2.1.0), and behind it the platform spec if anything belongs there. The
same configuration, target and code give the same bytes.
"""

import json
from collections.abc import Mapping

from annotated_types import Ge, Lt
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import KubeflowV2DagRunner, KubeflowV2DagRunnerConfig

from components.formats import nodes
from components.tools.section import Section
from components.training.options import ARCHITECTURES, TrainOptions
from pipeline.config import Config, ConfigError
from pipeline.context import RunContext, RunParameters, with_run_values
from pipeline.kubeflow.exit_task import API, with_exit_task
from pipeline.kubeflow.ir_yaml import dump
from pipeline.kubeflow.options import TaskOptions
from pipeline.kubeflow.parameters import Parameter, Rule
from pipeline.kubeflow.platform import platform_spec
from pipeline.kubeflow.spec import reshape
from pipeline.kubeflow.submit import SERVICE_ACCOUNT
from pipeline.kubeflow.targets import DATA_READERS, PUSH_USERS, Target, check, default_destination, volumes
from pipeline.kubeflow.tasks import task_options
from pipeline.kubeflow.version_description import origin_comments
from pipeline.pipeline import NAME, create_pipeline

ENTRYPOINT = ("python", "-m", "pipeline.kubeflow.entrypoint")
_DESCRIPTION = "Trains, evaluates and pushes an image classifier from a folder of labelled images."
_TYPE_WORDS = {"STRING": "str", "NUMBER_INTEGER": "int"}


def compile_pipeline(config: Config, target: Target, preset: str | None = None) -> str:
    """Return the compiled pipeline as YAML.

    Args:
        config: the configuration.
        target: image, pipeline root and data.
        preset: name of the preset that the configuration began with, if any: the file says so.

    Raises:
        ConfigError: the configuration asks for something that the compiled pipeline can't give.
    """
    destination = config.push.destination or default_destination(target.root)
    parameters = _parameters(config, target, destination)
    context = RunContext(
        uri=target.data,
        destination=destination,
        checkpoints=config.train.checkpoints or f"{target.root.rstrip('/')}/checkpoints",
        parameters=RunParameters(
            **{
                field: RuntimeParameter(name, _python_type(parameters[name]))
                for field, name in _fields(parameters).items()
            }
        ),
    )
    pipeline = create_pipeline(config, context, target.root)
    told = [nodes.NOTICE] if config.notify.wanted else []
    tasks = task_options(config, [*(component.id for component in pipeline.components), *told])
    check(config, target, destination, tasks)
    runner = KubeflowV2DagRunner(
        KubeflowV2DagRunnerConfig(
            default_image=target.image, default_commands=list(ENTRYPOINT), use_pipeline_spec_2_1=True
        )
    )
    compiled = runner.run(pipeline, write_out=False)["pipelineSpec"]
    spec = reshape(compiled, NAME, _DESCRIPTION, target.root, parameters, _rules(config, target, tasks), tasks)
    if config.notify.webhook_env is not None:
        host = config.notify.host or API
        spec = with_exit_task(spec, target.image, config.notify.webhook_env, host, tasks[nodes.NOTICE])
    documents = [spec]
    if platform := platform_spec(config.kubeflow, tasks):
        documents.append(platform)
    comments = [*_comments(parameters, config.kubeflow.service_account), *origin_comments(config, preset)]
    return "\n".join(comments) + "\n" + dump(documents)


def _parameters(config: Config, target: Target, destination: str) -> dict[str, Parameter]:
    """Return what a run can set, with the configuration's values as defaults."""
    found = {
        "data": Parameter(target.data, False, "a folder or a file of images: a mounted path, s3://… or gs://…"),
        "epochs": Parameter(config.train.epochs, True, "epochs at most"),
        "architecture": Parameter(
            config.model.architecture, True, "resnet18, resnet34, resnet50, resnet101, resnet152"
        ),
        "seed": Parameter(config.seed, True, "of training"),
        "push_destination": Parameter(destination, False, "where a blessed model goes"),
    }
    if config.tuner.enabled:
        del found["architecture"]  # the search decides
    return found


def _rules(config: Config, target: Target, tasks: Mapping[str, TaskOptions]) -> dict[str, Rule]:
    """Return which values each parameter can have, as the configuration's own models say."""
    return {
        "data": {"volumes": volumes(target, DATA_READERS, tasks)},
        "epochs": _bounds(TrainOptions, "epochs"),
        "architecture": {"choices": [name for name in ARCHITECTURES if _goes_together(config, name)]},
        "seed": _bounds(Config, "seed"),
        "push_destination": {"volumes": volumes(target, PUSH_USERS, tasks)},
    }


def _bounds(section: type[Section], name: str) -> Rule:
    found: dict[str, int | None] = {"least": 0, "most": None}
    for constraint in section.model_fields[name].metadata:
        if isinstance(constraint, Ge):
            found["least"] = int(str(constraint.ge))
        elif isinstance(constraint, Lt):
            found["most"] = int(str(constraint.lt)) - 1
    return found


def _goes_together(config: Config, architecture: str) -> bool:
    try:
        with_run_values(config, {"architecture": architecture})
    except ConfigError:
        return False
    return True


def _fields(parameters: Mapping[str, Parameter]) -> dict[str, str]:
    """Field of RunParameters → name of the pipeline's parameter."""
    return {"destination" if name == "push_destination" else name: name for name in parameters}


def _python_type(parameter: Parameter) -> type:
    return type(parameter.default)


def _comments(parameters: Mapping[str, Parameter], service_account: str | None) -> list[str]:
    """Return comments as kfp's compiler writes them, and what `submit` needs to know beyond the IR."""
    lines = ["# PIPELINE DEFINITION", f"# Name: {NAME}", f"# Description: {_DESCRIPTION}", "# Inputs:"]
    for name, parameter in sorted(parameters.items()):
        default = json.dumps(parameter.default, ensure_ascii=False)
        lines.append(f"#    {name}: {_TYPE_WORDS[parameter.ir_type]} [Default: {default}]")
    if service_account:
        lines.append(f"{SERVICE_ACCOUNT}{service_account}")
    return lines
