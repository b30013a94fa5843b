"""What each task of a compiled pipeline asks of the cluster, by the configuration. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from components.formats import nodes
from pipeline.config import Config, ConfigError
from pipeline.kubeflow.options import SecretEnvOptions, TaskOptions
from pipeline.kubeflow.targets import named_files

EVERY = "all"
# Those whose data and models DataDigest looks at, with the same keys to the same stores.
_LOOKED_AT = (nodes.INGEST, nodes.BASELINE)
# What opens the same place as another component, with the same keys and volumes.
_LIKE = {nodes.REGISTRATION: nodes.PUSHER}


def task_options(config: Config, names: list[str]) -> dict[str, TaskOptions]:
    """Return options of every node: those of `all`, and what its own entry sets above them.

    Each fold's Trainer has the Trainer's, and what an entry under its own name, `Trainer.fold-1`, sets above them;
    likewise ModelRegistration the Pusher's.
    DataDigest also has what the components need to open what it looks at, so that nobody has to say it twice.

    Args:
        config: the configuration.
        names: of all nodes.

    Raises:
        ConfigError: an entry for no node, or one that DataDigest can't have.
    """
    given = config.kubeflow.components
    for name in given:
        if name not in (*names, EVERY):
            raise ConfigError(
                f"kubeflow.components.{name}: no such component. Components: {', '.join(names)}, or {EVERY}"
            )
    common, own = given.get(EVERY, TaskOptions()), given.get(nodes.DATA_DIGEST, TaskOptions())
    for name in nodes.NEVER_CACHED:
        if name in given and given[name].cache:
            raise ConfigError(
                f"kubeflow.components.{name}.cache must be left out: what looks for changes always runs, and so does "
                "what tells others of them. Received: True"
            )
    tasks = dict.fromkeys(names, common)
    for name in names:
        for entry in dict.fromkeys((_LIKE.get(name, nodes.kind_of(name)), name)):
            tasks[name] = _merged(tasks[name], given.get(entry, TaskOptions()))
    return {**tasks, nodes.DATA_DIGEST: _merged(_openers(config, tasks, own), own)}


def _merged(common: TaskOptions, own: TaskOptions) -> TaskOptions:
    values: dict[str, Any] = {name: getattr(common, name) for name in common.model_fields_set}
    for name in own.model_fields_set:
        value = getattr(own, name)
        values[name] = {**values.get(name, {}), **value} if isinstance(value, dict) else value
    return TaskOptions(**values)


def _openers(config: Config, tasks: Mapping[str, TaskOptions], own: TaskOptions) -> TaskOptions:
    """Return the environment, secrets and volumes of those that open what DataDigest looks at.

    Raises:
        ConfigError: a variable that they have with two values, of which DataDigest's own entry chooses none.
    """
    looked_at = [tasks[name] for name in _LOOKED_AT]
    readers = [tasks[name] for _, users in named_files(config).values() for name in users if name in tasks]
    chosen = dict(_variables(own))
    found: dict[str, str] = {}
    for name, value in (pair for task in looked_at for pair in _variables(task)):
        if found.setdefault(name, value) != value and name not in chosen:
            raise ConfigError(
                f"{' and '.join(_LOOKED_AT)} have two values of {name}, and {nodes.DATA_DIGEST}, which opens what both "
                f"open, needs one: set kubeflow.components.{nodes.DATA_DIGEST}. Received: {found[name]} and {value}"
            )
    return _merged(
        tasks[nodes.DATA_DIGEST],
        TaskOptions(
            env={name: value for task in looked_at for name, value in task.env.items() if name not in chosen},
            secret_env=_distinct(one for task in looked_at for one in _secrets_but(task, chosen)),
            pvc=_distinct(one for task in (*looked_at, *readers) for one in task.pvc),
        ),
    )


def _variables(task: TaskOptions) -> Iterator[tuple[str, str]]:
    """Yield each variable with its value, or with where that is."""
    yield from task.env.items()
    for item in task.secret_env:
        yield from ((name, f"{key} of secret {item.secret}") for key, name in item.keys.items())


def _secrets_but(task: TaskOptions, chosen: Mapping[str, str]) -> Iterator[SecretEnvOptions]:
    """Yield a task's secrets without the variables that DataDigest's own entry sets, by whichever way."""
    for item in task.secret_env:
        keys = {key: name for key, name in item.keys.items() if name not in chosen}
        if keys:
            yield SecretEnvOptions(secret=item.secret, keys=keys)


def _distinct(found: Iterable[Any]) -> tuple[Any, ...]:
    kept: list[Any] = []
    for one in found:
        if one not in kept:
            kept.append(one)
    return tuple(kept)
