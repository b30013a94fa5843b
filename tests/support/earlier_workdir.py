"""A workdir and a pushed model as an earlier revision (7479f39) made them, from an archive beside the tests.

The sample faces, one epoch; without the images and the trained weights, to stay small. Its pushed model has the run's
papers around a network of four channels, `tiny.keras`, exported by that revision.
"""

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

_ARCHIVE = Path(__file__).parent.parent / "data" / "earlier_workdir.tar.xz"
_THERE = "/earlier/work"  # where the revision wrote it, as its ML Metadata says


def unpack(folder: Path) -> Path:
    """Unpack the workdir into an empty folder, as if it had always been there."""
    with tarfile.open(_ARCHIVE) as tar:
        tar.extractall(folder, filter="data")
    with closing(sqlite3.connect(folder / "metadata.db")) as store, store:
        store.execute("UPDATE Artifact SET uri = replace(uri, ?, ?)", (_THERE, str(folder)))
    return folder
