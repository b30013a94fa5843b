"""Kubeflow Pipelines' API as `submit` and `--wait` reach it: kfp's client, with errors of one line."""

import contextlib
import json
import os
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SECONDS_TO_ANSWER = 15


class SubmitError(RuntimeError):
    """It can't be submitted; the message is one line and says what to do."""


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

    def _knock(self) -> None:
        """Ask for the host's health once: kfp's client would try for half a minute."""
        if not self.url.startswith(("http://", "https://")):
            raise SubmitError(f"--host must begin with http:// or https://. Received: {self.url!r}")
        question = urllib.request.Request(f"{self.url.rstrip('/')}/apis/v2beta1/healthz")
        if self.token:
            question.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(question, timeout=_SECONDS_TO_ANSWER):
                pass
        except urllib.error.HTTPError as error:
            raise self._refused(error.code, error.reason) from None
        except (OSError, ValueError) as error:
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
            raise self._refused(error.status, _words(error)) from None
        except urllib3.exceptions.HTTPError as error:
            cause = str(getattr(error, "reason", error)).rpartition(">: ")[2]  # without urllib3's own objects
            raise LostError(f"lost {self.url}: {' '.join(cause.split())}") from None

    def _refused(self, status: int, message: str) -> SubmitError:
        message = " ".join(str(message).split())
        if status in (401, 403):
            hint = "is the token valid" if self.token else "name the variable that holds your token with --token-env"
            where = f" in namespace {self.namespace}" if self.namespace else ""
            return SubmitError(f"{self.url} doesn't let you in{where} ({status}: {message}); {hint}")
        kind = LostError if status >= 500 or status == 429 else SubmitError
        return kind(f"{self.url} refused ({status}): {message}")


def _words(error: Any) -> str:
    """Return the server's own words: uploads answer with other fields than all else, and with a stack trace."""
    try:
        body = json.loads(error.body)
    except (TypeError, ValueError):
        return str(error.reason)
    if not isinstance(body, dict):
        return str(error.reason)
    found = [body.get(name) for name in ("message", "error_message", "error")]
    return str(next((text for text in found if text), error.reason))


def is_conflict(error: Any) -> bool:
    """Return whether somebody else made the same at the same moment."""
    return getattr(error, "status", None) == 409
