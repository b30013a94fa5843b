"""Runs an executor that needs no TFX, in the place of TFX's runner: messages in and out are the same."""

from typing import Any

from components.plain_executor import PlainArtifact, PlainExecutor

Message = dict[str, Any]


def run_plainly(executor: type[PlainExecutor], invocation: Message) -> Message:
    """Return the ExecutorOutput of one execution.

    Args:
        executor: what runs.
        invocation: ExecutorInput with local paths.

    Raises:
        ValueError: the executor left out a value that it hands on.
    """
    inputs, outputs = invocation["inputs"], invocation["outputs"]
    made = {key: _artifact(found) for key, found in outputs["artifacts"].items()}
    values = {key: PlainArtifact() for key in outputs.get("parameters", {})}
    executor().Do(
        {key: [_artifact(found)] for key, found in inputs["artifacts"].items()},
        {key: [one] for key, one in (made | values).items()},
        inputs["parameterValues"],
    )
    if missing := sorted(key for key, one in values.items() if one.value is None):
        raise ValueError(f"{executor.__module__}.{executor.__qualname__} set no value for {', '.join(missing)}")
    return {
        "artifacts": {
            key: {"artifacts": [{"name": key, "uri": one.uri, "metadata": one.properties}]} for key, one in made.items()
        },
        "parameterValues": {key: one.value for key, one in values.items()},
    }


def _artifact(found: Message) -> PlainArtifact:
    [artifact] = found["artifacts"]
    return PlainArtifact(artifact["uri"], dict(artifact["metadata"]))
