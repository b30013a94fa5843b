"""Calls to an object store, repeated after a dropped connection."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from components.tools.passwords import masked

_ATTEMPTS = 5
_T = TypeVar("_T")


def with_retries(call: Callable[[], _T]) -> _T:
    """Call it again after a dropped connection, with growing pauses; a clear refusal is final.

    Raises:
        FileNotFoundError: there is no such object.
        PermissionError: the store doesn't let us.
        OSError: the last attempt failed as well.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return call()
        except (FileNotFoundError, PermissionError):
            raise
        except Exception as error:  # each store's client has exceptions of its own for a lost connection
            if attempt == _ATTEMPTS:
                raise OSError(reason(error)) from error
            time.sleep(min(2.0, 0.1 * 2**attempt) * random.uniform(0.5, 1.0))
    raise AssertionError


def reason(error: BaseException) -> str:
    """Return an exception's message in one line, without passwords of URLs."""
    return masked(" ".join(str(error).split())) or type(error).__name__
