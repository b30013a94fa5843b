"""Passwords in URLs: kept out of all that is recorded and shown, and known to those who open a URL.

    place = hidden("ftp://me:secret@host/faces")    # ftp://***@host/faces
    fsspec.core.url_to_fs(revealed(place))

What was hidden is in the environment, so the processes that a run starts can reveal it, too.
"""

import base64
import json
import os
import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from components.tools.environment import PASSWORDS

MASK = "***"
# User and password, or a token alone. A secret key may have slashes; digits and a slash behind a colon are a port.
_USER = re.compile(r"""(?<=://)([^\s/@:\["']*:(?:[^\s/"']*|(?!\d+/)[^\s@"']*)|[^\s/@:\["']+)@""")
# Words of a variable's or option's name by which its value is a secret.
_WORDS = {"key", "secret", "token", "password", "passwd", "passphrase", "pwd", "credential", "credentials", "apikey"}
_NAME = r"\*{3}\d*"
_MASKED = re.compile(rf"(?<=://)({_NAME})@")


def masked(text: str) -> str:
    """Return a text with `***` in place of whom its URLs log in as, and with what."""
    return _USER.sub(lambda found: found[0] if re.fullmatch(_NAME, found[1]) else f"{MASK}@", text)


def looks_secret(name: str) -> bool:
    """Return whether a name says that its value is a secret, such as AWS_SECRET_ACCESS_KEY."""
    return not _WORDS.isdisjoint(re.split(r"[\W_]+", name.lower()))


def has_password(uri: str) -> bool:
    """Return whether a URL says whom to log in as."""
    return masked(uri) != uri


def hidden(uri: str) -> str:
    """Return a URL with `***` in place of user and password, and remember them for `revealed`.

    Further ones become `***2`, `***3` and so on: the same in each run that names the same URLs in the same order.
    """
    known = _known()

    def mask(found: re.Match[str]) -> str:
        if re.fullmatch(_NAME, found[1]):
            return found[0]
        name = next((name for name, user in known.items() if user == found[1]), None)
        if name is None:
            name = f"{MASK}{len(known) + 1}" if known else MASK
            known[name] = found[1]
        return f"{name}@"

    uri = _USER.sub(mask, uri)
    if known:
        os.environ[PASSWORDS] = json.dumps(known)
    return uri


def revealed(uri: str) -> str:
    """Return a URL as it was before `hidden`, to open it."""
    known = _known()
    return _MASKED.sub(lambda found: f"{known.get(found[1], found[1])}@", uri)


class Login(NamedTuple):
    """Whom a URL logs in as."""

    user: str
    password: str

    def as_header(self) -> str:
        """Return the value of HTTP's header `Authorization`."""
        return f"Basic {base64.b64encode(f'{self.user}:{self.password}'.encode()).decode()}"


def without_login(uri: str) -> tuple[str, Login | None]:
    """Return a revealed URL without user and password, and these, for a client that takes them apart from the URL."""
    parts = urlsplit(uri)
    if not parts.hostname or parts.username is None:
        return uri, None
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return bare, Login(unquote(parts.username), unquote(parts.password or ""))


def _known() -> dict[str, str]:
    return dict(json.loads(os.environ.get(PASSWORDS, "{}")))
