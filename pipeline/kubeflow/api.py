"""Kubeflow Pipelines' API as commands reach it: kfp's client, and plain questions, with errors of one line."""

import contextlib
import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.kubeflow.credentials import Credentials, CredentialsError

_SECONDS_TO_ANSWER = 15
Query = Mapping[str, str | int | Sequence[str]]


class SubmitError(RuntimeError):
    """It can't be done; the message is one line and says what to do."""


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
        credentials: how to get in.
    """

    url: str
    namespace: str | None = None
    credentials: Credentials = field(default_factory=Credentials)

    def client(self) -> Any:
        """Return kfp's client.

        Raises:
            SubmitError: nobody there, or nobody who lets us in.
        """
        self.get_json("/apis/v2beta1/healthz")  # kfp's client would try for half a minute
        warnings.simplefilter("ignore")
        from kfp import Client
        from kfp.client.set_volume_credentials import ServiceAccountTokenVolumeCredentials

        credentials = self.credentials

        class CertifiedClient(Client):  # type: ignore[misc]
            """kfp's client, which has no word for the client's own certificate."""

            def _load_config(self, *arguments: Any, **named: Any) -> Any:
                config = super()._load_config(*arguments, **named)
                config.cert_file, config.key_file = map(_text, (credentials.certificate, credentials.key))
                return config

        path = credentials.token_file
        with self.explained():
            return CertifiedClient(
                host=self.url,
                namespace=self.namespace or "kubeflow",
                existing_token=credentials.token,
                cookies=credentials.cookie,
                ssl_ca_cert=_text(credentials.authority),
                credentials=ServiceAccountTokenVolumeCredentials(_text(path)) if path else None,
            )

    def run_link(self, run_id: str) -> str:
        """Return the address of a run's page."""
        return f"{self.url.rstrip('/')}/#/runs/details/{run_id}"

    def recurring_link(self, run_id: str) -> str:
        """Return the address of a recurring run's page."""
        return f"{self.url.rstrip('/')}/#/recurringrun/details/{run_id}"

    def get_json(self, path: str, query: Query | None = None) -> Any:
        """Ask one question.

        Args:
            path: below the URL, with a `/` first.
            query: by name; several values repeat the name.

        Raises:
            MissingError: there is no such thing.
            LostError: no answer, or one that says the server is in trouble.
            SubmitError: a refusal, or an answer that isn't the API's.
        """
        try:
            return json.loads(self.get(path, query))
        except ValueError:
            raise SubmitError(
                f"{self.url} answers with a page instead of its API: is it the URL of Kubeflow Pipelines, and does a "
                "login stand before it (--cookie-env, --token-env)?"
            ) from None

    def get(self, path: str, query: Query | None = None) -> bytes:
        """Return the answer to one question as it comes, all of it; see `get_json`."""
        question = f"{self.url.rstrip('/')}{path}{'?' + urllib.parse.urlencode(query, doseq=True) if query else ''}"
        try:
            request = urllib.request.Request(question, headers=self.credentials.headers())
            opener = urllib.request.build_opener(
                _StayHere(), urllib.request.HTTPSHandler(context=self.credentials.tls())
            )
            with opener.open(request, timeout=_SECONDS_TO_ANSWER) as answer:
                return bytes(answer.read())
        except CredentialsError as error:
            raise SubmitError(str(error)) from None
        except urllib.error.HTTPError as error:
            raise self._refused(error.code, _words(_body(error), str(error.reason))) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            hint = "Is it the URL of Kubeflow Pipelines?"
            if "CERTIFICATE_VERIFY_FAILED" in str(reason):
                hint = "If its authority is your own, name that with --ca-file."
            raise LostError(f"can't reach {self.url}: {reason}. {hint}") from None

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
            raise self._refused(error.status, _words(error.body, str(error.reason))) from None
        except urllib3.exceptions.HTTPError as error:
            cause = str(getattr(error, "reason", error)).rpartition(">: ")[2]  # without urllib3's own objects
            raise LostError(f"lost {self.url}: {' '.join(cause.split())}") from None

    def _refused(self, status: int, message: str) -> SubmitError:
        message = " ".join(str(message).split())
        if status in (401, 403) or 300 <= status < 400:
            missing = "give a token by --token-env, or a session's cookie by --cookie-env"
            hint = "is what you gave still valid?" if self.credentials.are_given else missing
            where = f" in namespace {self.namespace}" if self.namespace else ""
            reason = "it sends you to a login" if status < 400 else message
            return SubmitError(f"{self.url} doesn't let you in{where} ({status}: {reason}); {hint}")
        if status == 404:
            return MissingError(f"{self.url} doesn't have it ({status}): {message}")
        kind = LostError if status >= 500 or status == 429 else SubmitError
        return kind(f"{self.url} refused ({status}): {message}")


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else: a login's page is no answer, and another host must not be handed the token."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _body(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read()
    except OSError:
        return b""


def _words(body: Any, otherwise: str) -> str:
    """Return the server's own words: uploads answer with other fields than all else, and with a stack trace."""
    try:
        found = json.loads(body)
    except (TypeError, ValueError):
        return otherwise
    if not isinstance(found, dict):
        return otherwise
    texts = [found.get(name) for name in ("message", "error_message", "error")]
    return str(next((text for text in texts if text), otherwise))


def _text(path: Path | None) -> str | None:
    return str(path) if path else None


def is_conflict(error: Any) -> bool:
    """Return whether somebody else made the same at the same moment."""
    return getattr(error, "status", None) == 409
