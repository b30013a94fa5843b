"""The service as a process: its socket, its log, and how it ends."""

import asyncio
import logging
import signal
import socket
import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from components.tools.printable import printable_lines

_CONNECTIONS = 512  # at once; a process may often have 1024 files open
_HEAD_SECONDS = 10.0  # until a request's head is there
_IDLE_SECONDS = 30  # between two requests of a connection


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a socket that nobody else can have, on which nobody is let in yet.

    Raises:
        OSError: there is no such address, or it is taken.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # after a server that ended a moment ago
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def address_of(bound: socket.socket) -> str:
    """Return the address of a service on a socket."""
    host, port = bound.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def log_to_the_screen() -> None:
    """Write what the service and uvicorn log to standard error, in lines that can't act on a terminal."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Harmless("%(asctime)s %(levelname)s %(message)s"))
    for name, level in (("affect.serve", logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of each upload that is none


class Harmless(logging.Formatter):
    """Spells out what isn't printed, but for the ends of lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record."""
        return printable_lines(super().format(record))


def make_server(app: Starlette, seconds: float) -> uvicorn.Server:
    """Return a server; `run` of it returns after SIGTERM or SIGINT, once all requests that came before are answered.

    Args:
        app: answers.
        seconds: that an answer takes at most.
    """
    config = uvicorn.Config(
        app,
        http=_Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=int(seconds) + 5,
    )
    return uvicorn.Server(config)


def end_on_signals(server: uvicorn.Server) -> None:
    """Let SIGTERM and SIGINT end the server from now on, also before uvicorn listens to them itself.

    It raises them again once it has ended: that it was asked to is no failure.
    """

    def end(*_: Any) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


class _Connection(H11Protocol):
    """A connection that ends if it asks for nothing, or takes too long over it; uvicorn would wait for ever."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > _CONNECTIONS:
            transport.abort()
        else:
            self._late = self.loop.call_later(_HEAD_SECONDS, self._end)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_answered():
            self._stop_waiting()
        elif self._late is None:
            self._late = self.loop.call_later(_HEAD_SECONDS, self._end)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _is_answered(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _end(self) -> None:
        self._late = None
        if not self._is_answered():
            self.transport.close()
