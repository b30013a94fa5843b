"""Who asks Kubeflow Pipelines: tokens, cookies, headers and certificates, from where kfp itself takes them.

Secrets come from the environment or from files, so no list of processes shows them, and no message repeats them.
"""

import json
import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# kfp's own places: kfp/client/__init__.py and client.py.
TOKEN_PATH_VARIABLE = "KF_PIPELINES_SA_TOKEN_PATH"
TOKEN_PATH = "/var/run/secrets/kubeflow/pipelines/token"
CONTEXT = "~/.config/kfp/context.json"


class CredentialsError(ValueError):
    """Something that was named isn't there or can't be used; the message is one line."""


@dataclass(frozen=True)
class Credentials:
    """What a request carries, and whom it trusts.

    Attributes:
        token: bearer token.
        token_file: holds a bearer token; read anew for each request, since the kubelet renews it.
        cookie: of a proxy's session, `name=value`.
        header: further header, name and value.
        authority: certificates of the authorities that are trusted instead of the system's; PEM.
        certificate: the client's own; PEM, with its key unless `key` holds it.
        key: of the client's certificate; PEM.
    """

    token: str | None = field(default=None, repr=False)
    token_file: Path | None = None
    cookie: str | None = field(default=None, repr=False)
    header: tuple[str, str] | None = field(default=None, repr=False)
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def are_given(self) -> bool:
        """Whether anything says who asks."""
        return any((self.token, self.token_file, self.cookie, self.header, self.certificate))

    def headers(self) -> dict[str, str]:
        """Return what is sent along with each request.

        Raises:
            CredentialsError: the token's file can't be read.
        """
        token = self.token or (_read_token(self.token_file) if self.token_file else None)
        found = {"Authorization": f"Bearer {token}"} if token else {}
        if self.cookie:
            found["Cookie"] = self.cookie
        return found | (dict([self.header]) if self.header else {})

    def tls(self) -> ssl.SSLContext:
        """Return how a connection is secured.

        Raises:
            CredentialsError: a certificate or key can't be read.
        """
        try:
            context = ssl.create_default_context(cafile=self.authority)
        except (OSError, ssl.SSLError) as error:
            raise CredentialsError(f"--ca-file: can't use {self.authority}: {_reason(error)}") from None
        if self.certificate:
            try:
                context.load_cert_chain(self.certificate, self.key, password=_no_password)
            except (OSError, ssl.SSLError, ValueError) as error:
                both = f"{self.certificate}{f' with {self.key}' if self.key else ''}"
                raise CredentialsError(f"--cert-file: can't use {both}: {_reason(error)}") from None
        return context


def find_credentials(
    token_variable: str | None = None,
    cookie_variable: str | None = None,
    authority: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
) -> Credentials:
    """Return what was named, and what lies where kfp looks for it: its context file, and in a pod the token's file.

    Args:
        token_variable: environment variable with the bearer token.
        cookie_variable: environment variable with the cookie.
        authority: see `Credentials`, like the next two.
        certificate: likewise.
        key: likewise.

    Raises:
        CredentialsError: an empty variable, a secret that no header can hold, or a damaged context file.
    """
    if key and not certificate:
        raise CredentialsError("--key-file belongs to a certificate: name it with --cert-file")
    context = read_context()
    token = _from_environment("--token-env", token_variable)
    in_pod = Path(os.environ.get(TOKEN_PATH_VARIABLE) or TOKEN_PATH)
    name, value = context.get("client_authentication_header_name"), context.get("client_authentication_header_value")
    return Credentials(
        token=token,
        token_file=in_pod if token is None and in_pod.exists() else None,
        cookie=_from_environment("--cookie-env", cookie_variable) or context.get("client_authentication_cookie"),
        header=(name, value) if name and value else None,
        authority=authority,
        certificate=certificate,
        key=key,
    )


def read_context() -> Mapping[str, Any]:
    """Return kfp's context file, as kfp's own client keeps it: `namespace` and how to get in. Empty without one.

    Raises:
        CredentialsError: it is damaged.
    """
    path = Path(CONTEXT).expanduser()
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise CredentialsError(f"{path} is damaged, where kfp keeps its context: mend it or delete it") from None
    texts = isinstance(found, dict) and all(value is None or isinstance(value, str) for value in found.values())
    if not texts or "namespace" not in found:
        raise CredentialsError(f"{path} isn't what kfp keeps there: it needs texts, and one called namespace")
    for name, value in found.items():
        _check_header(f"{name} in {path}", value or "")
    return dict(found)


def _from_environment(option: str, variable: str | None) -> str | None:
    if variable is None:
        return None
    value = os.environ.get(variable, "").strip()
    if not value:
        raise CredentialsError(f"{option}: the variable {variable} is empty")
    return _check_header(f"{option}: the value of {variable}", value)


def _read_token(path: Path) -> str:
    try:
        return _check_header(f"the token in {path}", path.read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsError(f"can't read the token in {path}: {_reason(error)}") from None


def _check_header(what: str, value: str) -> str:
    """Refuse what no header can hold: HTTP libraries would repeat it in their error."""
    if re.search(r"[^\x20-\x7e]", value):
        raise CredentialsError(f"{what} holds line breaks or characters beyond ASCII, which no header can")
    return value


def _no_password() -> str:
    raise ValueError("it is encrypted, and nobody is asked for a password: decrypt it first")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
