"""A disk of a few megabytes that can be filled to the last byte: a tmpfs, which takes rights to mount."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, megabytes: int = 2) -> Iterator[Path]:
    """Mount it at a new folder; skip the test where that isn't allowed. Nothing in it may be open at the end."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no right to mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path, but: int = 0) -> None:
    """Write until nothing more can be written, or so many bytes."""
    descriptor = os.open(disk / "fill", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    with suppress(OSError):
        while True:
            os.write(descriptor, bytes(4096))
    os.ftruncate(descriptor, os.fstat(descriptor).st_size - but)
    os.close(descriptor)
