"""What a client is told that gets no answer: TensorFlow Serving's form, `{"error": "…"}`."""

import json
from typing import Any

from starlette.responses import Response

from components.tools.printable import printable, printable_json

_AGAIN = 1  # seconds after which it is worth trying again


class Problem(Exception):
    """A request that can't be answered.

    Args:
        status: the HTTP status.
        message: why, in a line.
        again: whether the same request may be answered a little later.
    """

    def __init__(self, status: int, message: str, *, again: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.again = again

    def response(self) -> Response:
        """Return what the client gets."""
        headers = {"Retry-After": str(_AGAIN)} if self.again else {}
        return json_response({"error": printable(self.message)}, self.status, headers)


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return JSON in which text that acts on a terminal is spelled out; NaN is an error, since JSON has none."""
    text = printable_json(json.dumps(value, ensure_ascii=False, allow_nan=False))
    return Response(text, status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")
