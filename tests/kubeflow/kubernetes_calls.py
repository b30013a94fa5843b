"""The few calls of Kubernetes' API that driver and launcher make: a stand-in over HTTPS. No Kubernetes is in it."""

import base64
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

NAMESPACE = "kubeflow"


@dataclass
class Cluster:
    """What is in the namespace.

    Attributes:
        account: folder with what a pod finds of its service account.
        port: of the API.
        secrets: by name, plain values by key.
        config_maps: by name, values by key.
    """

    account: Path
    port: int = 0
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    config_maps: dict[str, dict[str, str]] = field(default_factory=dict)

    def found(self, kind: str, name: str) -> dict[str, Any] | None:
        """The object as the API gives it; None if it isn't there."""
        metadata = {"name": name, "namespace": NAMESPACE}
        if kind == "pods":
            return {"kind": "Pod", "apiVersion": "v1", "metadata": {**metadata, "annotations": {}}}
        if kind == "secrets" and name in self.secrets:
            data = {key: base64.b64encode(value.encode()).decode() for key, value in self.secrets[name].items()}
            return {"kind": "Secret", "apiVersion": "v1", "metadata": metadata, "data": data}
        if kind == "configmaps" and name in self.config_maps:
            return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata, "data": self.config_maps[name]}
        return None


@contextmanager
def served(folder: Path, secrets: Mapping[str, dict[str, str]]) -> Iterator[Cluster]:
    """Serve a namespace on a free port.

    Args:
        folder: an empty folder, for key and service account.
        secrets: of the namespace.
    """
    account = folder / "account"
    account.mkdir(parents=True)
    key, certificate = folder / "api.key", account / "ca.crt"
    line = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    line += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(line, check=True, capture_output=True)
    (account / "namespace").write_text(NAMESPACE)
    (account / "token").write_text("token")
    cluster = Cluster(account, secrets=dict(secrets))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(cluster))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    cluster.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield cluster
    finally:
        server.shutdown()
        server.server_close()


def _handler(cluster: Cluster) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            *_, kind, name = self.path.split("?")[0].split("/")
            found = cluster.found(kind, name)
            missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
            body = json.dumps(found or {**missing, "message": f'{kind} "{name}" not found'}).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_PATCH(self) -> None:
            self.do_GET()

        def log_message(self, *arguments: Any) -> None:
            pass

    return Handler
