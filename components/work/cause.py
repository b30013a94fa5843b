"""Why work on an engine failed, out of what runners make of it: the cause, and where to look. Pure.

What a unit raised comes back as a traceback in text. Where no worker has come, or one is lost, an engine knows no more
than that a call wasn't answered; the reason is then in the log of the pool that starts the workers.
"""

import re
import socket
from collections.abc import Sequence
from contextlib import closing

from components.tools.option_words import values_of

_SECONDS = 3.0  # to get a connection in
# A message that ends with a colon goes on in the next line.
_RAISED = re.compile(r"^(?:[\w.]+\.)?(\w*(?:Error|Exception|BadPipeline|Exit)): (.+?(?::\s*\n.+)?)$", re.MULTILINE)
_STATUS = re.compile(r"status = StatusCode\.(\w+)")
_DETAILS = re.compile(r'details = "(.*)"')
_ADDRESS = re.compile(r"ipv[46]:(?:%5B|\[)?([\w.:%-]+?)(?:%5D|\])?:(\d+):")
_POOL = (
    "look at the log of the worker pool{where}: the `python` that it finds first in its PATH starts the workers, and "
    "must have this project and the driver's release of Beam"
)


def cause(error: BaseException, options: Sequence[str] = ()) -> str:
    """Return in a line why a runner failed.

    Args:
        error: what it raised.
        options: of Beam, by which the pool is named.
    """
    text = re.sub(r" \[while running .*\]", "", str(error))
    if told := unanswered(text, options):
        return told
    found = _RAISED.findall(text)
    if found:
        name, message = found[-1]
        line = f"{name}: {' '.join(message.split())}".removeprefix("BadPipeline: ")
        if name == "ModuleNotFoundError":
            return f"{line}: a worker has other packages than this process; {_POOL.format(where=_where(options))}"
        return line
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [""]
    first = " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
    return f"{type(error).__name__}: {first}".removeprefix("BadPipeline: ")


def unanswered(text: str, options: Sequence[str] = ()) -> str | None:
    """Return what can be known of a call between driver, job server and workers that failed; None of anything else.

    Args:
        text: of the exception.
        options: of Beam.
    """
    status, details = _STATUS.findall(text), _DETAILS.findall(text)
    if not status or not details:
        return None
    pool = _POOL.format(where=_where(options))
    if status[-1] == "DEADLINE_EXCEEDED":
        return (
            "the job server gave no word in the time of --job_server_timeout (60 seconds, unless it is set). Either no "
            f"worker has come: {pool}. Or the work takes longer, and may still go on: set beam.options to "
            "[…, --job_server_timeout=86400]"
        )
    if status[-1] == "UNAVAILABLE" and (address := _ADDRESS.findall(details[-1])):
        place = ":".join(address[-1])
        return f"nothing answers at {place}: start the worker pool or the job server that is to be there, or {pool}"
    return f"a worker or the job server was lost ({status[-1]}: {details[-1]}): {pool}"


def why_no_job_server(options: Sequence[str]) -> str | None:
    """Return why the job server that the options name can't be used; None where it answers, or none is named.

    Beam itself looks for it for a minute, and then says `FutureTimeoutError`.
    """
    address = _value("job_endpoint", options)
    host, _, port = (address or "").rpartition(":")
    if not host or not port.isdecimal():
        return None
    try:
        with closing(socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS)):
            return None
    except OSError as error:
        why = error.strerror or str(error)
        return f"no job server answers at --job_endpoint={address} ({why}): start it there, or name another address"


def _where(options: Sequence[str]) -> str:
    address = _value("environment_config", options)
    return f" at {address}" if address and _value("environment_type", options) == "EXTERNAL" else ""


def _value(name: str, options: Sequence[str]) -> str | None:
    return next(reversed(values_of(name, options)), None)
