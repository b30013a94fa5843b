"""Waiting for what happens soon, on a machine that may be busy."""

import time
from collections.abc import Callable
from typing import Any


def until(happens: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait for something that happens soon; it is a failure if it doesn't."""
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)
