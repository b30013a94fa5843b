"""What a request may cost: bytes, time, and how many are answered at once; and what each cost, for the metrics."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.images.codec import MAX_PIXELS
from pipeline.serving.metrics import Metrics
from pipeline.serving.problem import Problem


@dataclass(frozen=True)
class Limits:
    """What is refused.

    Attributes:
        body: bytes of a request's body at most.
        images: in a request at most.
        pixels: of an image at most.
        requests: for predictions that are answered at once; more get 429.
        seconds: until a request is answered, from its head on.
    """

    body: int = 16_000_000
    images: int = 64
    pixels: int = MAX_PIXELS
    requests: int = 64
    seconds: float = 30.0


class LimitedRequests:
    """Holds requests that bring something to the limits. An ASGI middleware."""

    def __init__(self, app: ASGIApp, limits: Limits, metrics: Metrics) -> None:
        self._app = app
        self._limits = limits
        self._metrics = metrics
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        if self._in_flight >= self._limits.requests:
            problem = Problem(
                429, f"{self._limits.requests} requests are being answered, and no more may be", again=True
            )
            await problem.response()(scope, receive, send)
            return
        self._in_flight += 1
        self._metrics.in_flight.set(self._in_flight)
        try:
            await self._answer(_Request(scope, receive, send, self._limits.body))
        finally:
            self._in_flight -= 1
            self._metrics.in_flight.set(self._in_flight)

    async def _answer(self, request: "_Request") -> None:
        try:
            await asyncio.wait_for(self._app(request.scope, request.receive, request.send), self._limits.seconds)
        except asyncio.TimeoutError:
            if request.has_reply:
                raise
            late = f"not answered within {self._limits.seconds:g} s"
            problem = (
                Problem(504, late, again=True) if request.is_read else Problem(408, f"{late}: its body is too slow")
            )
            await problem.response()(request.scope, request.receive, request.send)


class _Request:
    """A request whose body is counted while it is read."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, most: int) -> None:
        self.scope = scope
        self.is_read = False
        self.has_reply = False
        self._receive = receive
        self._send = send
        self._most = most
        self._size = 0

    async def receive(self) -> Message:
        """Return the next piece of the body.

        Raises:
            Problem: it is longer than it may be, by what its head says or by what came.
        """
        length = dict(self.scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._most:
            raise self._too_long()
        message = await self._receive()
        if message["type"] == "http.request":
            self._size += len(message.get("body", b""))
            if self._size > self._most:
                raise self._too_long()
            self.is_read = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Send a piece of the reply."""
        self.has_reply = True
        await self._send(message)

    def _too_long(self) -> Problem:
        return Problem(413, f"the body is longer than the {self._most} bytes that are allowed")


class CountedRequests:
    """Tells the metrics of each request. An ASGI middleware.

    Args:
        app: what answers.
        metrics: told.
        place: what a path is called; few names, since each is a series of its own.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, place: Callable[[str], str]) -> None:
        self._app = app
        self._metrics = metrics
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request answered, and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        place = self._place(scope["path"])
        begin = time.perf_counter()
        status = 500  # what the client gets if the program fails

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._metrics.requests.labels(place, str(status)).inc()
            self._metrics.seconds.labels(place).observe(time.perf_counter() - begin)
