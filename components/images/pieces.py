"""The bytes of a file in pieces, so that memory holds no more of it at once, however long it is."""

import os
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

from components.tools.retries import with_retries

PIECE = 4_000_000  # bytes of a file that are held at once, where nobody asks for the whole


def file_pieces(path: str | bytes | Path) -> Generator[bytes]:
    """Yield the bytes of a file on this machine, at most `PIECE` at a time.

    Raises:
        OSError: it can't be read.
    """
    with open(path, "rb", buffering=0) as file:
        # A byte more than a small file has, so that the next read finds its end; pipes have no size.
        most = min(PIECE, os.fstat(file.fileno()).st_size + 1)
        while piece := file.read(most if most > 1 else PIECE):
            yield piece


def stored_pieces(store: Any, path: str, size: int) -> Generator[bytes]:
    """Yield the bytes of an object, at most `PIECE` at a time; a dropped connection is tried again.

    Args:
        store: fsspec's file system.
        path: of the object.
        size: of the object, in bytes.
    """
    if size <= PIECE:  # in one call without a range, which an empty object has none of
        yield with_retries(lambda: store.cat_file(path))
        return
    for start in range(0, size, PIECE):
        end = min(start + PIECE, size)
        yield with_retries(partial(store.cat_file, path, start=start, end=end))
