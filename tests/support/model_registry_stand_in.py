"""A stand-in for Kubeflow's Model Registry: the part of its REST API that registering uses, over real HTTP.

No registry is in it. It keeps what it is sent, and refuses what isn't a field of the models of the registry's published
client, which are generated from the registry's own API description. `MODEL_REGISTRY_URL` names a real one to use in its
place, such as `model-registry proxy` on a database.
"""

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import mr_openapi

PREFIX = "/api/model_registry/"


@dataclass
class StoodIn:
    """What the stand-in knows and was sent.

    Attributes:
        url: where it is.
        version: of the API that it speaks.
        authorization: the header without which it lets nobody in; None: it lets everybody.
        troubles: statuses to answer with first, in place of what was asked for.
        things: what was made, by kind.
        requests: method and path of each request.
    """

    url: str = ""
    version: str = "v1"
    authorization: str | None = None
    troubles: list[int] = field(default_factory=list)
    things: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {"registered_models": [], "model_versions": [], "artifacts": []}
    )
    requests: list[str] = field(default_factory=list)


def _checked(body: dict[str, Any], model: Any) -> dict[str, Any]:
    known = {one.alias or name for name, one in model.model_fields.items()}
    if unknown := body.keys() - known:
        raise ValueError(f"{model.__name__} has no field {unknown}")
    model.from_dict(body)
    for value in body.get("customProperties", {}).values():
        mr_openapi.MetadataValue.from_dict(value)
    return body


def _handler(registry: StoodIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def log_message(self, *arguments: Any) -> None:
            pass

        def _answer(self, body: dict[str, Any] | None) -> None:
            registry.requests.append(f"{self.command} {urlsplit(self.path).path}")
            status, answer = 200, None
            if registry.authorization and self.headers["Authorization"] != registry.authorization:
                status, answer = 401, {"code": "401", "message": "unauthorized"}
            elif registry.troubles:
                status, answer = registry.troubles.pop(0), {"code": "", "message": "no database"}
            elif self.path.startswith(f"{PREFIX}{registry.version}/"):
                path = urlsplit(self.path).path.removeprefix(f"{PREFIX}{registry.version}/")
                query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
                answer = self._found(path, query) if body is None else self._made(path, body)
            text = json.dumps(answer).encode() if answer is not None else b"404 page not found"
            self.send_response(status if answer is not None else 404)
            self.send_header("Content-Type", "application/json" if answer is not None else "text/plain")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _found(self, path: str, query: dict[str, str]) -> Any:
            models, versions, artifacts = registry.things.values()
            if path == "registered_models":
                return _listed(models)
            if path == "registered_model":
                return next((one for one in models if one["name"] == query["name"]), None)
            if path == "model_version":
                wanted = (query["name"], query["parentResourceId"])
                return next((one for one in versions if (one["name"], one["registeredModelId"]) == wanted), None)
            if found := re.fullmatch(r"registered_models/(\d+)/versions", path):
                return _listed([one for one in versions if one["registeredModelId"] == found[1]])
            if found := re.fullmatch(r"model_versions/(\d+)/artifacts", path):
                return _listed([one for one in artifacts if one["version"] == found[1]])
            return None

        def _made(self, path: str, body: dict[str, Any]) -> Any:
            kind = path.rpartition("/")[2]
            model = {
                "registered_models": mr_openapi.RegisteredModelCreate,
                "model_versions": mr_openapi.ModelVersionCreate,
                "artifacts": mr_openapi.ModelArtifact,
            }[kind]
            version = {"version": path.split("/")[1]} if kind == "artifacts" else {}
            things = registry.things[kind]
            made = {"state": "LIVE", **_checked(body, model), **version, "id": str(len(things) + 1)}
            things.append(made)
            return made

    return Handler


def _listed(items: list[Any]) -> dict[str, Any]:
    return {"items": items, "nextPageToken": "", "pageSize": 0, "size": len(items)}


@contextmanager
def stood_in(registry: StoodIn) -> Iterator[StoodIn]:
    """Serve the stand-in."""
    with _served(_handler(registry)) as url:
        registry.url = url
        yield registry


@contextmanager
def speaking_v1(url: str) -> Iterator[str]:
    """Yield the URL at which a registry of either API answers the published client, which asks for the newer one."""

    class Forward(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = _asked(url + self.path)
            if status == 404:
                status, text = _asked(url + self.path.replace(f"{PREFIX}v1/", f"{PREFIX}v1alpha3/"))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *arguments: Any) -> None:
            pass

    with _served(Forward) as found:
        yield found


def _asked(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@contextmanager
def _served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
