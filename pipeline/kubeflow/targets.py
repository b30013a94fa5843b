"""Where a compiled pipeline runs, and what can be known beforehand not to work there. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.config import Config, ConfigError
from pipeline.kubeflow.options import TaskOptions
from pipeline.kubeflow.spec import cores, gigabytes

# What the launcher in a pod can copy artifacts from and to.
ROOT_SCHEMES = ("minio://", "s3://", "gs://")
# What components open by themselves, through fsspec.
_DATA_SCHEMES = ("s3://", "gs://", "gcs://")
PUSHED_IMAGES = Path("build/pushed-images")


@dataclass(frozen=True)
class Target:
    """Where the compiled pipeline runs.

    Attributes:
        image: of every component.
        root: where artifacts go; a path is for kfp's local runner.
        data: the data folder: a path in the pods, `s3://…` or `gs://…`.
    """

    image: str
    root: str
    data: str


def default_destination(root: str) -> str:
    """Where models go if nobody says so: beside the artifacts. The launcher's `minio://` is S3 to everybody else."""
    return f"{root.rstrip('/').replace('minio://', 's3://', 1)}/serving_model"


def pinned(image: str, pushed: Path = PUSHED_IMAGES) -> str:
    """The image by its digest, if `make image PUSH=1` has noted one, or unchanged.

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
    if problems:
        raise ConfigError("\n".join(problems))


def _uris(target: Target, destination: str, tasks: Mapping[str, TaskOptions]) -> list[str]:
    problems = []
    if not target.root.startswith((*ROOT_SCHEMES, "/")):
        problems.append(
            f"--pipeline-root must begin with {', '.join(ROOT_SCHEMES)} (or / for kfp's local runner). "
            f"Received: {target.root}"
        )
    readers = {
        "--data": (target.data, ("ImageIngest",)),
        "push.destination": (destination, ("BaselineFinder", "Pusher")),
    }
    for name, (uri, nodes) in readers.items():
        if "://" in uri:
            if not uri.startswith(_DATA_SCHEMES):
                hint = ". MinIO and SeaweedFS are s3:// with AWS_ENDPOINT_URL" if uri.startswith("minio://") else ""
                problems.append(f"{name} must be a path in the pods, s3://… or gs://…. Received: {uri}{hint}")
            continue
        problems += _unmounted(name, uri, nodes, target, tasks)
    return problems


def _paths(config: Config, target: Target, tasks: Mapping[str, TaskOptions]) -> list[str]:
    """Files that the configuration names are opened in a pod, not here."""
    weights = config.model.weights if config.model.weights != "imagenet" else None
    files: dict[str, tuple[str | None, tuple[str, ...]]] = {
        "augment.pipeline_yaml": (config.augment.pipeline_yaml, ("SplitBalanceAugment",)),
        "validate.schema": (config.validation.schema_path, ("ImageSchema",)),
        "model.weights": (weights, ("Trainer", "Tuner") if config.tuner.enabled else ("Trainer",)),
    }
    if config.data.labels_csv is not None and not config.data.labels_csv.startswith(_DATA_SCHEMES):
        files["data.labels_csv"] = (config.data.labels_csv, ("ImageIngest",))
    problems = []
    for name, (path, nodes) in files.items():
        if path is not None:
            problems += _unmounted(name, path, nodes, target, tasks)
    return problems


def _unmounted(
    name: str, path: str, nodes: tuple[str, ...], target: Target, tasks: Mapping[str, TaskOptions]
) -> list[str]:
    if not path.startswith("/"):
        return [f"{name} must be an absolute path: a pod doesn't see this folder. Received: {path}"]
    if not target.root.startswith(ROOT_SCHEMES):
        return []  # kfp's local runner shows its containers the pipeline root and what its user mounts
    return [
        f"{name} = {path} is in no volume of {node}: mount one with kubeflow.components.{node}.pvc"
        for node in nodes
        if not any(PurePosixPath(path).is_relative_to(volume.path) for volume in tasks[node].pvc)
    ]


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
