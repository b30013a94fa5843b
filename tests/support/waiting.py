"""Waiting for what happens soon, on a machine that may be busy."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def until(happens: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait for something that happens soon; it is a failure if it doesn't."""
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def rewrite(file: Path, data: bytes) -> None:
    """Write over a file so that, of its times, only that of its last change is another one.

    The clock of Linux for files went on by up to 10 ms at once before 6.13.
    """
    before = file.stat()
    while file.stat().st_ctime_ns == before.st_ctime_ns:
        file.write_bytes(data)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
