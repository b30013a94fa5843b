"""A stand-in for Kubeflow Pipelines: the part of its v2beta1 API that `submit` uses, over real HTTP.

No Kubeflow is in it. It keeps what it is sent, and refuses a request whose body has a field that the model of
kfp-server-api (which is generated from Kubeflow's own API description) doesn't have, or one of another type.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kfp_server_api
import yaml

PREFIX = "/apis/v2beta1"


@dataclass
class Kubeflow:
    """What the stand-in knows and was sent."""

    url: str = ""
    token: str | None = None
    namespaces: tuple[str, ...] = ()
    states: list[str] = field(default_factory=lambda: ["PENDING", "RUNNING", "SUCCEEDED"])
    experiments: list[dict[str, Any]] = field(default_factory=list)
    pipelines: list[dict[str, Any]] = field(default_factory=list)
    versions: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    recurring: list[dict[str, Any]] = field(default_factory=list)


class Refusal(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def checked(body: Any, model: str) -> Any:
    """The body, if every field is one of the model's.

    Raises:
        Refusal: it isn't.
    """
    if re.match(r"(list|dict)\(", model) or model in ("object", "str", "int", "bool", "datetime", "float"):
        # A 64-bit number is text in the API's description; its JSON may be either.
        wanted: Any = {"str": (str, int), "int": int, "bool": bool, "datetime": str, "float": (int, float)}.get(
            model, object
        )
        if not isinstance(body, wanted):
            raise Refusal(400, f"{model} expected. Received: {body!r}")
        return body
    kind = getattr(kfp_server_api, model)
    names = {json_name: name for name, json_name in kind.attribute_map.items()}
    for key, value in body.items() if hasattr(kind, "openapi_types") and isinstance(body, dict) else ():
        if key not in names:
            raise Refusal(400, f"{model} has no field {key}")
        checked(value, kind.openapi_types[names[key]])
    return body


def _handler(kubeflow: Kubeflow) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def log_message(self, *arguments: Any) -> None:
            pass

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                status, answer = 200, self._route(urlsplit(self.path).path.removeprefix(PREFIX), body)
            except Refusal as refusal:
                status, answer = refusal.status, {"error": str(refusal), "code": 3, "message": str(refusal)}
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _route(self, path: str, body: bytes) -> Any:
            if kubeflow.token and self.headers.get("Authorization") != f"Bearer {kubeflow.token}":
                raise Refusal(401, "Request not authenticated")
            query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
            self._allow(query.get("namespace"))
            if path == "/healthz":
                return {"multi_user": bool(kubeflow.namespaces)}
            if self.command == "GET":
                return self._listing(path, query)
            if path == "/pipelines/upload":
                made = {"pipeline_id": f"p{len(kubeflow.pipelines)}", "display_name": query["name"]}
                kubeflow.pipelines.append(made)
                self._keep(body, made["pipeline_id"], query["name"])
                return made
            if path == "/pipelines/upload_version":
                return self._keep(body, query["pipelineid"], query["name"])
            return self._made(path, json.loads(body))

        def _allow(self, namespace: str | None) -> None:
            if kubeflow.namespaces and namespace and namespace not in kubeflow.namespaces:
                raise Refusal(403, f"User is not authorized in namespace {namespace}")

        def _keep(self, body: bytes, pipeline: str, name: str) -> dict[str, Any]:
            kind = self.headers["Content-Type"].encode()
            message = message_from_bytes(b"Content-Type: " + kind + b"\r\n\r\n" + body)
            [part] = [one for one in message.walk() if not one.is_multipart()]
            text = bytes(part.get_payload(decode=True)).decode()  # type: ignore[arg-type]
            made = {"pipeline_id": pipeline, "pipeline_version_id": f"v{len(kubeflow.versions)}", "display_name": name}
            kubeflow.versions.append({**made, "documents": list(yaml.safe_load_all(text))})
            return made

        def _listing(self, path: str, query: dict[str, str]) -> Any:
            if match := re.fullmatch(r"/runs/(\w+)", path):
                state = kubeflow.states.pop(0) if len(kubeflow.states) > 1 else kubeflow.states[0]
                return {"run_id": match[1], "state": state}
            if match := re.fullmatch(r"/pipelines/(\w+)/versions", path):
                found = [version for version in kubeflow.versions if version["pipeline_id"] == match[1]]
                return {"pipeline_versions": [{k: v for k, v in one.items() if k != "documents"} for one in found]}
            rows = {"/experiments": kubeflow.experiments, "/pipelines": kubeflow.pipelines}[path]
            if "filter" in query:
                [predicate] = json.loads(query["filter"])["predicates"]
                wanted = predicate.get("stringValue", predicate.get("string_value"))
                rows = [row for row in rows if row["display_name"] == wanted]
            return {path[1:]: rows}

        def _made(self, path: str, body: dict[str, Any]) -> Any:
            models = {
                "/experiments": ("V2beta1Experiment", kubeflow.experiments, "experiment_id"),
                "/runs": ("V2beta1Run", kubeflow.runs, "run_id"),
                "/recurringruns": ("V2beta1RecurringRun", kubeflow.recurring, "recurring_run_id"),
            }
            model, rows, key = models[path]
            self._allow(checked(body, model).get("namespace"))
            made = {**body, key: f"{key[0]}{len(rows)}"}
            rows.append(made)
            return made

    return Handler


@contextmanager
def running(kubeflow: Kubeflow) -> Iterator[Kubeflow]:
    """Serve it on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(kubeflow))
    kubeflow.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield kubeflow
    finally:
        server.shutdown()
