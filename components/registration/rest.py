"""Asks Kubeflow's Model Registry by its REST API: JSON there and back, with errors of one line and without secrets.

Its own client speaks one version of the API only, that of the newest registries; the others answer it with 404. It also
patches the process' event loop, sets up logging when it is imported, and has no limit of time.
"""

import http.client
import json
import ssl
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

from components.registration.access import Access
from components.tools.exchange import Reply, exchange
from components.tools.passwords import masked, revealed, without_login
from components.tools.printable import printable
from components.tools.retries import reason

_VERSIONS = ("v1", "v1alpha3")  # the newest first
_SECONDS_TO_ANSWER = 15.0
_ATTEMPTS, _PAUSE = 3, 1.0  # seconds, doubled with each
_REFUSED, _MISSING, _TROUBLE, _TOO_MANY = 300, 404, 500, 429
_LONGEST = 300  # characters of what a server says


class RegistryError(RuntimeError):
    """The registry is away or refuses; the message is one line without secrets."""


class Registry:
    """A registry.

    Args:
        url: of it; the API's version is found out.
        access: how to get in.

    Raises:
        RegistryError: an authority's file can't be used.
    """

    def __init__(self, url: str, access: Access) -> None:
        self._url = url.rstrip("/")
        self._bare, login = without_login(revealed(self._url))
        # Python would take a login for a part of the host's name, and ask for its address.
        self._authorization = f"Bearer {access.token}" if access.token else login.as_header() if login else None
        self._base: str | None = None
        try:
            context = ssl.create_default_context()
            for authority in access.authorities:
                context.load_verify_locations(authority)
        except (OSError, ssl.SSLError) as error:
            raise RegistryError(
                f"can't use the authorities {', '.join(map(str, access.authorities))}: {error}"
            ) from None
        self._opener = urllib.request.build_opener(_StayHere(), urllib.request.HTTPSHandler(context=context))

    def find(self, path: str, **query: str | int) -> dict[str, Any] | None:
        """Return what is at a path; None where nothing is.

        Raises:
            RegistryError: it is away, or refuses.
        """
        return self._ask(f"{path}?{urllib.parse.urlencode(query)}", None)

    def make(self, path: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Make something and return it.

        Raises:
            RegistryError: it is away, or refuses.
        """
        made = self._ask(path, values)
        if made is None:
            raise RegistryError(f"{masked(self._url)} knows no {path}")
        return made

    def _ask(self, path: str, values: Mapping[str, Any] | None) -> dict[str, Any] | None:
        if self._base is None:
            self._base = self._find_base()
        return self._request(f"{self._base}/{path}", values)

    def _find_base(self) -> str:
        for version in _VERSIONS:
            base = f"{self._bare}/api/model_registry/{version}"
            if self._request(f"{base}/registered_models?pageSize=1", None) is not None:
                return base
        raise RegistryError(f"{masked(self._url)} answers, but is no model registry: is it the right URL?")

    def _request(self, url: str, values: Mapping[str, Any] | None) -> dict[str, Any] | None:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        headers |= {"Authorization": self._authorization} if self._authorization else {}
        body = None if values is None else json.dumps(values).encode()
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                request = urllib.request.Request(url, data=body, headers=headers)
                reply = exchange(self._opener, request, _SECONDS_TO_ANSWER)
                if reply.status < _REFUSED:
                    return self._read(reply.body)
                if reply.status == _MISSING:
                    return None
                problem = f"{reply.status} {_words(reply)}"
                is_final = reply.status < _TROUBLE and reply.status != _TOO_MANY
            except (OSError, ValueError, http.client.HTTPException) as error:
                problem, is_final = _reason(error), isinstance(error, ValueError)
            if is_final or attempt == _ATTEMPTS:
                raise RegistryError(f"{masked(self._url)}: {problem}")
            time.sleep(_PAUSE * 2 ** (attempt - 1))
        raise AssertionError

    def _read(self, body: bytes) -> dict[str, Any]:
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise RegistryError(f"{masked(self._url)} answers with a page instead of its API: is it the right URL?")
        return found


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else: a login's page is no answer, and another host must not be handed the token."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _words(reply: Reply) -> str:
    """Return the server's own words, which are JSON with a `message`, or else what HTTP says."""
    try:
        text = str(json.loads(reply.body)["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        text = reply.words
    return _short(masked(text))


def _reason(error: Exception) -> str:
    cause = getattr(error, "reason", error)  # of urllib's URLError
    return _short((isinstance(cause, OSError) and cause.strerror) or reason(cause))


def _short(text: str) -> str:
    """Return a server's text in one line that can't act on a terminal."""
    text = printable(" ".join(text.split()))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
