"""A web server on loopback that notes what it is sent, as the receiver of a webhook."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "T0/B0/xyzzy"


@dataclass
class Webhook:
    """What came.

    Attributes:
        url: to send to; its path is the secret.
        statuses: to answer with first; 200 then.
        messages: what was taken, and what wasn't.
        logins: the header `Authorization` of each.
    """

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    messages: list[Any] = field(default_factory=list)
    logins: list[str | None] = field(default_factory=list)


@contextmanager
def listening(*statuses: int) -> Iterator[Webhook]:
    """Listen, and answer with these statuses first."""
    hook = Webhook(statuses=list(statuses))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == f"/{SECRET}"
            assert self.headers["Content-Type"] == "application/json"
            hook.logins.append(self.headers["Authorization"])
            hook.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(hook.statuses.pop(0) if hook.statuses else 200)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        hook.url = f"http://127.0.0.1:{server.server_port}/{SECRET}"
        try:
            yield hook
        finally:
            server.shutdown()
            thread.join()
