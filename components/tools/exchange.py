"""One exchange with a server by HTTP that has an end, whatever the server does: in time, and in bytes.

reply = exchange(urllib.request.build_opener(), urllib.request.Request(url), seconds=10)
"""

import http.client
import threading
import urllib.error
import urllib.request
from typing import NamedTuple

_MOST = 16 * 2**20  # bytes of an answer


class Reply(NamedTuple):
    """What a server says.

    Attributes:
        status: of HTTP; also of a refusal.
        words: what HTTP says beside it.
        body: of the answer.
    """

    status: int
    words: str
    body: bytes


def exchange(
    opener: urllib.request.OpenerDirector, request: urllib.request.Request, seconds: float, *, reads: bool = True
) -> Reply:
    """Return a server's answer or refusal, and what it says where that is to be read.

    A socket's timeout begins again with each byte, so a server that sends one now and then would never end: the whole
    has a thread of its own, which is left behind.

    Raises:
        TimeoutError: it takes longer.
        OSError: the server is away, or the connection breaks.
        http.client.HTTPException: what comes is no HTTP, or cut off.
        ValueError: it is no URL, or the answer is too long.
    """
    found: list[Reply | Exception] = []

    def ask() -> None:
        try:
            found.append(_ask(opener, request, seconds, reads))
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=ask, name="exchange", daemon=True)
    thread.start()
    thread.join(seconds)
    if not found:
        raise TimeoutError(None, f"no whole answer within {seconds:g} s")
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def _ask(opener: urllib.request.OpenerDirector, request: urllib.request.Request, seconds: float, reads: bool) -> Reply:
    try:
        answer = opener.open(request, timeout=seconds)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        body = answer.read(_MOST + 1) if reads else b""
        if len(body) > _MOST:
            raise ValueError(f"its answer is longer than {_MOST // 2**20} MiB")
        if reads and answer.length:  # `read` of so many bytes says nothing where fewer come
            raise http.client.IncompleteRead(body, answer.length)
        return Reply(answer.status or 0, str(answer.reason), body)
