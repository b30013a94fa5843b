"""A folder that belongs to somebody else, for as long as a block runs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOBODY = 65534


@contextmanager
def somebody_elses(folder: Path, readable: bool = True) -> Iterator[None]:
    """Let the block see what is in a folder, unless it isn't readable, and write nothing in it.

    Root may write anywhere: it becomes nobody meanwhile, so all modules that the block needs must be imported before.
    """
    paths = [folder, *sorted(folder.rglob("*"))]
    for path in reversed(paths):
        path.chmod(0 if not readable else 0o555 if path.is_dir() else 0o444)
    is_root = os.getuid() == 0
    if is_root:
        os.setresuid(_NOBODY, _NOBODY, 0)
    try:
        yield
    finally:
        if is_root:
            os.setresuid(0, 0, 0)
        for path in paths:  # from the outside in
            if path.exists():
                path.chmod(0o755 if path.is_dir() else 0o644)
