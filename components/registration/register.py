"""Writes into a model registry: a model, its versions, and where each version's files are.

    register(Registry("http://model-registry-service.kubeflow:8080", find_access()), "facial-affect", entries)

What is there stays as it is, and what a killed process left half registered is completed, so it can be called again and
again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.registration.rest import Registry, RegistryError

_AUTHOR, _FORMAT, _FORMAT_VERSION = "affect", "tensorflow", "2"  # as KServe calls a SavedModel
_ABOUT = "An image classifier; each version is a SavedModel that was good enough to be pushed."


@dataclass(frozen=True)
class Entry:
    """A version to register.

    Attributes:
        version: its name.
        uri: where its files are.
        digest: of the model; "" if it isn't known.
        properties: scores and where it comes from, by name.
    """

    version: str
    uri: str
    digest: str
    properties: Mapping[str, str | float]


def register(registry: Registry, name: str, entries: Sequence[Entry]) -> list[str]:
    """Register what isn't registered yet.

    Args:
        registry: where.
        name: of the model.
        entries: its versions.

    Returns:
        The versions that were new, or only half registered.

    Raises:
        RegistryError: the registry is away, or refuses.
    """
    model = _found_or_made(
        registry,
        ("registered_model", {"name": name}),
        ("registered_models", {"name": name, "owner": _AUTHOR, "description": _ABOUT}),
    )
    return [entry.version for entry in entries if _is_new(registry, model, name, entry)]


def _is_new(registry: Registry, model: str, name: str, entry: Entry) -> bool:
    """Register a version; returns whether anything of it was missing."""
    properties = _properties({"digest": entry.digest, **entry.properties})
    version = _found_or_made(
        registry,
        ("model_version", {"name": entry.version, "parentResourceId": model}),
        (
            "model_versions",
            {"name": entry.version, "registeredModelId": model, "author": _AUTHOR, "customProperties": properties},
        ),
    )
    place = f"model_versions/{version}/artifacts"
    if (registry.find(place, pageSize=1) or {}).get("items"):
        return False
    registry.make(
        place,
        {
            "artifactType": "model-artifact",
            "name": f"{name}-{entry.version}",
            "uri": entry.uri,
            "modelFormatName": _FORMAT,
            "modelFormatVersion": _FORMAT_VERSION,
            "customProperties": _properties({"digest": entry.digest}),
        },
    )
    return True


def _found_or_made(
    registry: Registry, where: tuple[str, Mapping[str, str]], made: tuple[str, Mapping[str, Any]]
) -> str:
    """Return the id of what is there, or is made; somebody else may make the same at this moment."""
    path, query = where
    found = registry.find(path, **query)
    if found is None:
        try:
            found = registry.make(*made)
        except RegistryError:
            found = registry.find(path, **query)
            if found is None:
                raise
    identity = found.get("id")
    if not isinstance(identity, str | int) or isinstance(identity, bool):
        raise RegistryError(f"the registry's answer to {path} has no id: is it the right URL?")
    return str(identity)


def _properties(values: Mapping[str, str | float]) -> dict[str, dict[str, str | float]]:
    """Return values as the registry's API has them."""
    return {
        key: {"metadataType": "MetadataStringValue", "string_value": value}
        if isinstance(value, str)
        else {"metadataType": "MetadataDoubleValue", "double_value": value}
        for key, value in values.items()
    }
