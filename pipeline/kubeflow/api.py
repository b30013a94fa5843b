"""Kubeflow Pipelines' API with errors of one line: kfp's client, and plain HTTP for what that has no words for."""

import contextlib
import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SECONDS_TO_ANSWER = 15
Query = Mapping[str, str | int | Sequence[str]]


class SubmitError(RuntimeError):
    """It can't be submitted; the message is one line and says what to do."""


class MissingError(SubmitError):
    """The host answers that there is no such thing, or knows no such address."""


class LostError(SubmitError):
    """The host doesn't answer, or only with errors of its own; later it may."""


@dataclass(frozen=True)
class Host:
    """An installation of Kubeflow Pipelines, and who asks.

    Attributes:
        url: of the API and of the pages.
        namespace: of a multi-user installation; None for a single-user one.
        token: bearer token.
    """

    url: str
    namespace: str | None = None
    token: str | None = None

    def client(self) -> Any:
        """Return kfp's client.

        Raises:
            SubmitError: nobody there, or nobody who lets us in.
        """
        self._knock()
        warnings.simplefilter("ignore")
        from kfp import Client

        with self.explained():
            return Client(host=self.url, namespace=self.namespace or "kubeflow", existing_token=self.token)

    def get_json(self, path: str, query: Query) -> Any:
        """Return what the host answers to a GET.

        Args:
            path: below the URL, with a `/` first.
            query: by name; several values repeat the name.

        Raises:
            MissingError: there is no such thing, or no such address.
            LostError: no answer, or one that says the server is in trouble.
            SubmitError: a refusal, or an answer that isn't JSON.
        """
        answer = download(self, path, query)
        try:
            return json.loads(answer)
        except ValueError:
            raise SubmitError(f"{self.url}{path} is no API of Kubeflow Pipelines: it doesn't answer in JSON") from None

    def _knock(self) -> None:
        """Ask for the host's health once: kfp's client would try for half a minute."""
        if not self.url.startswith(("http://", "https://")):
            raise SubmitError(f"--host must begin with http:// or https://. Received: {self.url!r}")
        with self._opened("/apis/v2beta1/healthz"):
            pass

    @contextlib.contextmanager
    def _opened(self, path: str) -> Iterator[http.client.HTTPResponse]:
        question = urllib.request.Request(f"{self.url.rstrip('/')}{path}")
        if self.token:
            question.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(question, timeout=_SECONDS_TO_ANSWER) as answer:
                yield answer
        except urllib.error.HTTPError as error:
            raise self._refused(error.code, _words(error.read(), error.reason)) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise LostError(f"can't reach {self.url}: {reason}. Is it the URL of Kubeflow Pipelines?") from None

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Silence what kfp itself prints, and say its errors in one line.

        Raises:
            LostError: no answer, or one that says the server is in trouble.
            SubmitError: a refusal, with the server's own words.
        """
        import kfp_server_api
        import urllib3

        try:
            with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123 (no path)
                yield
        except kfp_server_api.ApiException as error:
            raise self._refused(error.status, _words(error.body, error.reason)) from None
        except urllib3.exceptions.HTTPError as error:
            cause = str(getattr(error, "reason", error)).rpartition(">: ")[2]  # without urllib3's own objects
            raise LostError(f"lost {self.url}: {' '.join(cause.split())}") from None

    def _refused(self, status: int, message: str) -> SubmitError:
        message = " ".join(str(message).split())
        if status in (401, 403):
            hint = "is the token valid" if self.token else "name the variable that holds your token with --token-env"
            where = f" in namespace {self.namespace}" if self.namespace else ""
            return SubmitError(f"{self.url} doesn't let you in{where} ({status}: {message}); {hint}")
        if status == 404:
            return MissingError(f"{self.url} doesn't have it ({status}): {message}")
        kind = LostError if status >= 500 or status == 429 else SubmitError
        return kind(f"{self.url} refused ({status}): {message}")


def download(host: Host, path: str, query: Query) -> bytes:
    """Return the bytes that a host answers to a GET, all of them. See `Host.get_json` for what is raised."""
    words = urllib.parse.urlencode(query, doseq=True)
    with host._opened(f"{path}?{words}" if words else path) as answer:
        return answer.read()


def _words(answer: str | bytes | None, reason: str) -> str:
    """Return the server's own words: uploads answer with other fields than all else, and with a stack trace."""
    try:
        body = json.loads(answer or "")
    except ValueError:
        return str(reason)
    if not isinstance(body, dict):
        return str(reason)
    found = [body.get(name) for name in ("message", "error_message", "error")]
    return str(next((text for text in found if text), reason))


def is_conflict(error: Any) -> bool:
    """Return whether somebody else made the same at the same moment."""
    return getattr(error, "status", None) == 409
