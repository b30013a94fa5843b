"""Where a compiled pipeline runs, and what can be known beforehand not to work there. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.formats import nodes
from components.tools.passwords import MASK
from components.tools.patterns import CHARACTERS, found_in
from pipeline.config import Config, ConfigError
from pipeline.kubeflow.options import TaskOptions
from pipeline.kubeflow.parameters import place_problems
from pipeline.kubeflow.spec import cores, gigabytes

# What the launcher in a pod can copy artifacts from and to.
ROOT_SCHEMES = ("minio://", "s3://", "gs://")
# Which components open the data folder, and the place of the models.
DATA_READERS = (nodes.INGEST, nodes.DATA_DIGEST)
PUSH_USERS = (nodes.BASELINE, nodes.PUSHER, nodes.DATA_DIGEST)
PUSHED_IMAGES = Path("build/pushed-images")


@dataclass(frozen=True)
class Target:
    """Where the compiled pipeline runs.

    Attributes:
        image: of every component.
        root: where artifacts go; a path is for kfp's local runner.
        data: the data folder, or a file that holds images: a path in the pods, `s3://…` or `gs://…`.
    """

    image: str
    root: str
    data: str


def default_destination(root: str) -> str:
    """Return where models go by default: beside the artifacts. The launcher's `minio://` is S3 to everybody else."""
    return f"{root.rstrip('/').replace('minio://', 's3://', 1)}/serving_model"


def pinned(image: str, pushed: Path = PUSHED_IMAGES) -> str:
    """Return the image by its digest, if `make image PUSH=1` has noted one, or unchanged.

    Args:
        image: `registry/name:tag`, or with `@sha256:…` already.
        pushed: lines of image and digest, the newest last.
    """
    if "@" in image or not pushed.exists():
        return image
    digests = dict(line.split() for line in pushed.read_text("utf-8").splitlines() if line.strip())
    if image not in digests:
        return image
    name = image.rsplit(":", 1)[0] if ":" in image.rsplit("/", 1)[-1] else image
    return f"{name}@{digests[image]}"


def check(config: Config, target: Target, destination: str, tasks: Mapping[str, TaskOptions]) -> None:
    """Refuse what a pod could not honour.

    Raises:
        ConfigError: all that is wrong, one line each.
    """
    problems = [*_uris(target, destination, tasks), *_paths(config, target, tasks), *_limits(tasks)]
    problems += _notice(config, tasks)
    if problems:
        raise ConfigError("\n".join(problems))


def check_schemes(target: Target, destination: str | None) -> None:
    """Refuse addresses that no pod can reach, whatever is mounted in it: what needs no TFX to be known.

    Args:
        target: with root and data.
        destination: of models; None for the default.

    Raises:
        ConfigError: all that is wrong, one line each.
    """
    problems = [*_root(target.root), *place_problems("--data", target.data, None)]
    if destination is not None:
        problems += place_problems("push.destination", destination, None)
    if problems:
        raise ConfigError("\n".join(problems))


def volumes(target: Target, nodes: Sequence[str], tasks: Mapping[str, TaskOptions]) -> dict[str, list[str]] | None:
    """Return where each of the components has volumes mounted.

    None for kfp's local runner, which shows its containers the pipeline root and what its user mounts.
    """
    if not target.root.startswith(ROOT_SCHEMES):
        return None
    return {node: [volume.path for volume in tasks[node].pvc] for node in nodes}


def trainers(config: Config) -> tuple[str, ...]:
    """Return the components that train."""
    folds = (nodes.of_fold(nodes.TRAINER, fold) for fold in config.evaluate.each_fold())
    return (nodes.TRAINER, *((nodes.TUNER,) if config.tuner.enabled else ()), *folds)


def named_files(config: Config) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return the files that options name, by option, each with the components that open it."""
    files = {
        "augment.pipeline_yaml": (config.augment.pipeline_yaml, (nodes.SPLIT,)),
        "validate.schema": (config.validation.schema_path, (nodes.SCHEMA,)),
        "model.weights": (config.model.weights if config.model.weights != "imagenet" else None, trainers(config)),
        "data.labels_csv": (config.data.labels_csv, (nodes.INGEST,)),
        "data.metadata_csv": (config.data.metadata_csv, (nodes.INGEST,)),
        "data.label_names": (config.data.names_file, (nodes.INGEST,)),
    }
    return {name: (path, users) for name, (path, users) in files.items() if path is not None}


def _root(root: str) -> Iterator[str]:
    if not root.startswith((*ROOT_SCHEMES, "/")):
        schemes = ", ".join(ROOT_SCHEMES)
        yield f"--pipeline-root must begin with {schemes} (or / for kfp's local runner). Received: {root}"
    if found := found_in(root):
        yield (
            f"--pipeline-root can't have {' '.join(found)} in it, which TFX takes for a pattern of names: leave out "
            f"{' '.join(CHARACTERS)}. Received: {root}"
        )


def _uris(target: Target, destination: str, tasks: Mapping[str, TaskOptions]) -> Iterator[str]:
    yield from _root(target.root)
    for name, uri, users in (("--data", target.data, DATA_READERS), ("push.destination", destination, PUSH_USERS)):
        yield from place_problems(name, uri, volumes(target, users, tasks))


def _paths(config: Config, target: Target, tasks: Mapping[str, TaskOptions]) -> Iterator[str]:
    """Files that the configuration names are opened in a pod, not here."""
    if config.train.checkpoints is not None:
        reach = volumes(target, trainers(config), tasks)
        yield from place_problems("train.checkpoints", config.train.checkpoints, reach)
    for name, (path, users) in named_files(config).items():
        if "://" in path and name not in ("data.labels_csv", "data.metadata_csv", "data.label_names"):
            yield f"{name} must be a path in the pods. Received: {path}"
        else:
            yield from place_problems(name, path, volumes(target, (*users, nodes.DATA_DIGEST), tasks))


def _notice(config: Config, tasks: Mapping[str, TaskOptions]) -> Iterator[str]:
    if config.notify.webhook is not None:
        yield (
            "notify.webhook would stand in the compiled file, which everyone can read: name a variable by "
            f"notify.webhook_env, and fill it by kubeflow.components.{nodes.NOTICE}.secret_env. Received: {MASK}"
        )
    variable = config.notify.webhook_env
    if variable is None:
        return
    task = tasks[nodes.NOTICE]
    if variable not in [*task.env, *(name for item in task.secret_env for name in item.keys.values())]:
        yield (
            f"notify.webhook_env = {variable}: nothing fills that variable: add it to "
            f"kubeflow.components.{nodes.NOTICE}.secret_env, as {{secret: NAME, keys: {{KEY: {variable}}}}}"
        )


def _limits(tasks: Mapping[str, TaskOptions]) -> list[str]:
    problems = []
    for node, task in tasks.items():
        for resource, limit, request, number in (
            ("cpu", task.cpu, task.cpu_request, cores),
            ("memory", task.memory, task.memory_request, gigabytes),
        ):
            if limit and request and number(request) > number(limit):
                problems.append(
                    f"kubeflow.components.{node}.{resource}_request is above the limit. Received: {request} of {limit}"
                )
        paths = [volume.path for volume in task.pvc]
        if len(set(paths)) < len(paths):
            problems.append(
                f"kubeflow.components.{node}.pvc mounts two claims at one path. Received: {', '.join(paths)}"
            )
        names = [*task.env, *(name for item in task.secret_env for name in item.keys.values())]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            problems.append(f"kubeflow.components.{node} sets {', '.join(twice)} twice, by env and secret_env")
    return problems
