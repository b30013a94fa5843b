"""Temporary files of a run: in its workdir, whichever library makes them, and gone when it ends."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_VARIABLE = "TMPDIR"


@contextlib.contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Let this process and its children make temporary files in a folder; at the end it goes with all that is in it.

    TFX and TFMA leave theirs behind, twice the size of a model each time.

    Args:
        folder: of this run alone; what a killed one left in it is removed first.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    before, variable = tempfile.tempdir, os.environ.get(_VARIABLE)
    tempfile.tempdir = os.environ[_VARIABLE] = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
        if variable is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = variable
        shutil.rmtree(folder, ignore_errors=True)
