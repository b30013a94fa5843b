"""Writes into Kubeflow's Model Registry, by its own client: a model, its versions, and where each version's files are.

    register("http://model-registry-service.kubeflow:8080", find_access(), "facial-affect", entries)

What is there stays as it is, and what a killed process left half registered is completed, so it can be called again and
again. The client's convenience, `ModelRegistry.register_model`, refuses a version that it finds, artifact or not; it
also patches the process' event loop and requires a token for https. So this stands on what that stands on.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from model_registry.core import ModelRegistryAPIClient
from model_registry.types import ListOptions, ModelArtifact, ModelVersion, RegisteredModel
from mr_openapi import Configuration, ModelRegistryServiceApi
from mr_openapi.exceptions import ApiException

from components.registration.access import Access
from components.tools.passwords import masked, revealed
from components.tools.retries import reason

_ATTEMPTS, _PAUSE = 3, 1.0  # seconds, doubled with each
_SECONDS, _SECONDS_EACH = 20.0, 5.0  # an attempt, and more of it for each version
_SERVER_TROUBLE = 500
_AUTHOR, _FORMAT, _FORMAT_VERSION = "affect", "tensorflow", "2"  # as KServe calls a SavedModel
_LONGEST = 300  # characters of a reason


class RegistryError(RuntimeError):
    """The registry is away or refuses; the message is one line without secrets."""


@dataclass(frozen=True)
class Entry:
    """A version to register.

    Attributes:
        version: its name.
        uri: where its files are.
        properties: scores, digests, …, by name.
        digest: of the model.
    """

    version: str
    uri: str
    properties: Mapping[str, str | float]
    digest: str


def register(url: str, access: Access, name: str, entries: Sequence[Entry]) -> list[str]:
    """Register what isn't registered yet.

    Args:
        url: of the registry.
        access: how to get in.
        name: of the model.
        entries: its versions.

    Returns:
        The versions that were new, or only half registered.

    Raises:
        RegistryError: it is away, or refuses.
    """
    client = _Client.of(revealed(url), access)
    limit = _SECONDS + _SECONDS_EACH * len(entries)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return asyncio.run(asyncio.wait_for(_register(client, name, entries), limit))
        except Exception as error:  # aiohttp's, the client's, or TLS's
            refused = isinstance(error, ApiException) and int(error.status or 0) < _SERVER_TROUBLE
            if attempt == _ATTEMPTS or (refused and error.status != 409):  # somebody else registers, too
                raise RegistryError(f"{masked(url)}: {_words(error, limit)}") from None
            time.sleep(_PAUSE * 2 ** (attempt - 1))
    raise AssertionError


async def _register(client: ModelRegistryAPIClient, name: str, entries: Sequence[Entry]) -> list[str]:
    model = await client.get_registered_model_by_params(name)
    if model is None:
        about = "An image classifier; each version is a SavedModel that was good enough to be pushed."
        model = await client.upsert_registered_model(RegisteredModel(name=name, owner=_AUTHOR, description=about))
    return [entry.version for entry in entries if await _is_new(client, str(model.id), name, entry)]


async def _is_new(client: ModelRegistryAPIClient, model: str, name: str, entry: Entry) -> bool:
    """Register a version; returns whether anything of it was missing."""
    version = await client.get_model_version_by_params(model, entry.version)
    if version is None:
        made = ModelVersion(name=entry.version, author=_AUTHOR, custom_properties=dict(entry.properties))
        version = await client.upsert_model_version(made, model)
    elif await client.get_model_version_artifacts(str(version.id), ListOptions(limit=1)):
        return False
    artifact = ModelArtifact(
        name=f"{name}-{entry.version}",
        uri=entry.uri,
        model_format_name=_FORMAT,
        model_format_version=_FORMAT_VERSION,
        custom_properties={"digest": entry.digest},
    )
    await client.upsert_model_version_artifact(artifact, str(version.id))
    return True


class _Client(ModelRegistryAPIClient):  # type: ignore[misc]
    """The registry's client, which trusts either the system's authorities or others."""

    authorities: tuple[str, ...] = ()

    @classmethod
    def of(cls, url: str, access: Access) -> "_Client":
        client = cls(Configuration(host=url.rstrip("/"), access_token=access.token))
        client.authorities = tuple(map(str, access.authorities))
        return client

    @asynccontextmanager
    async def get_client(self) -> AsyncIterator[ModelRegistryServiceApi]:
        async with super().get_client() as service:
            for authority in self.authorities:
                service.api_client.rest_client.ssl_context.load_verify_locations(authority)
            yield service


def _words(error: Exception, limit: float) -> str:
    if isinstance(error, asyncio.TimeoutError):
        return f"no answer within {limit:.0f} s"
    if isinstance(error, ApiException):
        text = f"{error.status} {error.reason}: {_body(error)}".rstrip(": ")
    else:
        text = reason(error)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def _body(error: Any) -> str:
    return masked(" ".join(str(error.body or "").split()))
