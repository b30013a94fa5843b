"""Sends a notice. Whatever goes wrong is told in a line that doesn't hold the URL, which is as good as a password."""

import http.client
import json
import time
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from components.tools.exchange import exchange
from components.tools.passwords import without_login

_SECONDS_TO_ANSWER = 10.0
_ATTEMPTS, _PAUSE = 3, 1.0  # seconds, doubled with each
_REFUSED, _TROUBLE, _TOO_MANY = 300, 500, 429


def send(url: str, message: Mapping[str, Any], attempts: int = _ATTEMPTS) -> str:
    """Send an object by POST, again after a dropped connection or a server's own trouble.

    Args:
        url: where to.
        message: the object.
        attempts: how often at most.

    Returns:
        Why it wasn't taken, naming the host alone; "" if it was.
    """
    body = json.dumps(message).encode()
    problem = ""
    bare, login = without_login(url)
    headers = {"Content-Type": "application/json"} | ({"Authorization": login.as_header()} if login else {})
    for attempt in range(1, attempts + 1):
        try:
            request = urllib.request.Request(bare, data=body, headers=headers)
            reply = exchange(urllib.request.build_opener(_StayHere()), request, _SECONDS_TO_ANSWER, reads=False)
            if reply.status < _REFUSED:
                return ""
            problem = f"it answers {reply.status} {http.client.responses.get(reply.status, '')}".rstrip()
            if reply.status < _TROUBLE and reply.status != _TOO_MANY:
                break
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            problem = str(getattr(reason, "strerror", None) or type(reason).__name__)  # its text may show the URL
        if attempt < attempts:
            time.sleep(_PAUSE * 2 ** (attempt - 1))
    return f"{urlsplit(url).hostname}: {problem}"


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else: whoever the notice is for has the URL that was given."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None
