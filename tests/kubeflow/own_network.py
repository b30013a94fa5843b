"""A network of the backend's own: loopback and nothing else.

It stands for the cluster's: pods reach what is brought up there, but neither the internet nor this machine, and nobody
else reaches them.
"""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWNET = 0x40000000


@contextmanager
def own_network() -> Iterator[None]:
    """Put this thread, and the threads and processes that it starts meanwhile, into a new network namespace.

    Raises:
        OSError: no right to do that, or no such kernel.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open("rb") as before:
        _checked(libc.unshare(_CLONE_NEWNET))
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            _checked(libc.setns(before.fileno(), _CLONE_NEWNET))


def _checked(status: int) -> None:
    if status:
        number = ctypes.get_errno()
        raise OSError(number, f"network namespace: {os.strerror(number)}")
