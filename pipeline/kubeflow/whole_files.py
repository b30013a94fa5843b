"""Digests of artifacts on Kubeflow: recorded by the task that made them, held against what the next one is given.

Kubeflow's cache hands out what an earlier run made, and never looks at it; between the two lies an object store.
"""

from collections.abc import Mapping
from typing import Any

from components.formats.stored_at import PROPERTY as STORED_AT
from pipeline.lineage.files import FILES, damage_of, record_of

Message = dict[str, Any]


class DamagedError(RuntimeError):
    """What a task was given isn't what the earlier one made."""


def refuse_damaged(inputs: Message, makers: Mapping[str, str]) -> None:
    """Look at the files of all artifacts that a task takes.

    Args:
        inputs: `inputs.artifacts` of ExecutorInput, with local paths.
        makers: the component that makes each input.

    Raises:
        DamagedError: some are missing or were changed; the message says which, and how they are made again.
    """
    damage: dict[str, list[str]] = {}
    for key, found in inputs.items():
        for artifact in found["artifacts"]:
            if text := damage_of(artifact["uri"], artifact["metadata"]):
                place = artifact["metadata"].get(STORED_AT, artifact["uri"])
                damage.setdefault(makers.get(key, ""), []).append(text.replace(artifact["uri"], place, 1))
    if not damage:
        return
    what = "; ".join(f"{text} since {maker or 'a task'} made it" for maker, texts in damage.items() for text in texts)
    again = " ".join(f"--again {maker}" for maker in damage if maker)
    raise DamagedError(
        f"{what}. Put it back from a copy, or let it be made again, whatever the cache has: "
        f"`affect submit {again}`, with the options of this run"
    )


def with_files(artifacts: Message, paths: Mapping[str, str]) -> Message:
    """Return the artifacts of ExecutorOutput with the digests of their files among their properties.

    Args:
        artifacts: by output.
        paths: where each lies here, by output.
    """
    recorded = {}
    for key, found in artifacts.items():
        [made] = found["artifacts"]
        files = record_of(paths[key])
        metadata = made.get("metadata", {}) | ({} if files is None else {FILES: files})
        recorded[key] = {"artifacts": [{**made, "metadata": metadata}]}
    return recorded
