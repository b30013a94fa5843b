"""Pushed models in a model registry, read back by the registry's published client."""

import asyncio
import os
import socket
import ssl
import uuid
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import model_registry_stand_in as support
import pytest
from certificates import write_certificates
from model_registry.core import ModelRegistryAPIClient
from model_registry.types import ModelArtifact, ModelVersion
from model_registry_stand_in import StoodIn, speaking_v1, stood_in

from components.formats.pushed_models import Origin, list_versions
from components.formats.saved_model import METRICS, model_digest
from components.plain_executor import PlainArtifact
from components.pusher.push import push
from components.registration.access import Access, find_access
from components.registration.executor import Executor
from components.registration.rest import Registry, RegistryError
from components.tools.passwords import hidden

METRICS_OF_7 = {"test": {"accuracy": {"value": 0.9, "low": 0.85, "high": 0.94}, "per_class": []}}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    for name in ("MODEL_REGISTRY_TOKEN", "KF_PIPELINES_SA_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["v1", "v1alpha3", "real"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "real":
        if not (found := os.environ.get("MODEL_REGISTRY_URL")):
            pytest.skip("MODEL_REGISTRY_URL names no real registry")
        yield found
        return
    with stood_in(StoodIn(version=request.param)) as registry:
        yield registry.url


@pytest.fixture
def name() -> str:
    return f"faces-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def destination(tmp_path: Path) -> str:
    pushed(tmp_path, 7)
    return str(tmp_path / "serving")


def pushed(folder: Path, number: int) -> None:
    model = folder / f"model-{number}"
    (model / "variables").mkdir(parents=True)
    (model / "saved_model.pb").write_bytes(b"graph %d" % number)
    documents = {METRICS: METRICS_OF_7, "label_map.json": {"labels": ["cat", "dog"]}}
    push(model, str(folder / "serving"), number, Origin("recipe", f"data {number}", ""), documents, {})


def register(url: str, name: str, destination: str) -> PlainArtifact:
    done = PlainArtifact(f"{destination}-registered")
    before = PlainArtifact("", {"pushed": 1, "pushed_destination": f"{destination}/7"})
    values = {"destination": destination, "registry": url, "name": name}
    Executor().Do({"pushed_model": [before]}, {"registered": [done]}, values)
    return done


def versions_of(url: str, name: str) -> dict[str, tuple[ModelVersion, ModelArtifact]]:
    """What the published client finds."""

    async def found(client: ModelRegistryAPIClient) -> dict[str, tuple[ModelVersion, ModelArtifact]]:
        model = await client.get_registered_model_by_params(name)
        versions = await client.get_model_versions(model.id)
        artifacts = [await client.get_model_version_artifacts(one.id) for one in versions]
        return {version.name: (version, artifact) for version, [artifact] in zip(versions, artifacts, strict=True)}

    with speaking_v1(url) as place:
        return asyncio.run(found(ModelRegistryAPIClient.insecure_connection(place, 80)))


def test_a_push_is_registered_with_scores_digest_and_place(url: str, name: str, destination: str) -> None:
    done = register(url, name, destination)

    assert done.properties == {"registered": 1, "versions": 1, "model": name}
    [(version, artifact)] = versions_of(url, name).values()
    digest = model_digest(Path(destination, "7"))
    assert version.name == "7"
    assert version.custom_properties == {
        "digest": digest,
        "labels": "cat, dog",
        "recipe": "recipe",
        "data_digest": "data 7",
        "test/accuracy": 0.9,
        "test/accuracy_low": 0.85,
        "test/accuracy_high": 0.94,
    }
    assert artifact.uri == Path(destination, "7").as_uri()
    assert (artifact.model_format_name, artifact.custom_properties) == ("tensorflow", {"digest": digest})


def test_what_was_pushed_while_the_registry_was_away_is_registered_by_a_later_run(
    url: str, name: str, destination: str
) -> None:
    with pytest.raises(RegistryError, match=r"pushed to .*/7, but isn't registered, which the next run makes up for"):
        register(closed(), name, destination)
    pushed(Path(destination).parent, 9)

    assert register(url, name, destination).properties["registered"] == 2
    assert register(url, name, destination).properties["registered"] == 0
    assert versions_of(url, name).keys() == {"7", "9"}


def closed() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_a_version_that_was_left_without_its_artifact_is_completed(name: str, destination: str) -> None:
    with stood_in(StoodIn()) as registry:
        register(registry.url, name, destination)
        registry.things["artifacts"].clear()  # as if the process had been killed between the two

        assert register(registry.url, name, destination).properties["registered"] == 1
        assert len(registry.things["model_versions"]) == len(registry.things["artifacts"]) == 1


def test_a_servers_own_trouble_is_waited_for_and_a_refusal_is_final(name: str, destination: str) -> None:
    with stood_in(StoodIn(troubles=[503, 500])) as registry:
        assert register(registry.url, name, destination).properties["registered"] == 1

    with stood_in(StoodIn(authorization="Bearer right")) as registry:
        with pytest.raises(RegistryError, match="401 unauthorized$"):
            register(registry.url, name, destination)
        assert len(registry.requests) == 1


def test_something_else_at_that_address_is_said_to_be_no_registry(name: str, destination: str) -> None:
    with stood_in(StoodIn(version="v9")) as registry, pytest.raises(RegistryError, match="is no model registry"):
        register(registry.url, name, destination)


def test_a_password_in_the_address_is_in_no_message(name: str, destination: str) -> None:
    with pytest.raises(RegistryError) as raised:
        register(hidden(closed().replace("//", "//me:hunter2@")), name, destination)

    assert "http://***@127.0.0.1" in str(raised.value)
    assert "Connection refused" in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_login_in_the_address_opens_the_registry(name: str, destination: str) -> None:
    with stood_in(StoodIn(authorization="Basic bWU6aHVudGVyMg==")) as registry:  # me:hunter2
        login = hidden(registry.url.replace("//", "//me:hunter2@"))
        assert register(login, name, destination).properties["registered"] == 1


def test_nothing_pushed_asks_nobody(name: str, tmp_path: Path) -> None:
    assert register(closed(), name, str(tmp_path)).properties == {"registered": 0, "versions": 0, "model": name}


def test_a_service_accounts_token_and_authority_open_a_registry_behind_tls(
    name: str, destination: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = tmp_path / "account"
    account.mkdir()
    certificates = write_certificates(tmp_path)
    (account / "ca.crt").write_bytes(certificates.authority.read_bytes())
    (account / "token").write_text("of the account\n")
    registry = StoodIn(authorization="Bearer of the account")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.server)

    def served(address: Any, handler: Any) -> ThreadingHTTPServer:
        server = ThreadingHTTPServer(address, handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        return server

    monkeypatch.setattr(support, "ThreadingHTTPServer", served)
    with stood_in(registry):
        place = registry.url.replace("http://", "https://")
        assert Registry(place, find_access(account)).find("registered_model", name=name) is None
        with pytest.raises(RegistryError, match="CERTIFICATE_VERIFY_FAILED"):
            Registry(place, Access(token="of the account")).find("registered_model", name=name)


def test_a_token_is_taken_from_the_variable_then_from_kubeflows_file_then_from_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("of the account\n")
    (tmp_path / "other").write_text("of pipelines\n")
    assert find_access(tmp_path).token == "of the account"
    assert find_access(tmp_path / "none") == Access()

    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(tmp_path / "other"))
    assert find_access(tmp_path).token == "of pipelines"

    monkeypatch.setenv("MODEL_REGISTRY_TOKEN", "my own")
    access = find_access(tmp_path)
    assert access.token == "my own"
    assert "my own" not in repr(access)


def test_a_pushed_model_says_its_digest(destination: str) -> None:
    [version] = list_versions(destination)

    assert version.digest == model_digest(Path(destination, "7"))
