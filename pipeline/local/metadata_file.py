"""Is the database of a workdir's runs one that a run can go on with?"""

import contextlib
import sqlite3
from pathlib import Path

from pipeline.local.workdir import Workdir

_SQLITE = b"SQLite format 3\0"
_AWAY = "name another folder with --workdir, or move {} away: the next run then begins anew"


def why_no_metadata(folder: Workdir) -> str | None:
    """Return why the next run can't go on with the workdir's `metadata.db`, and what to do; None where it can.

    A whole check of a database of 100 MB takes a second.
    """
    file = folder.metadata
    if file.is_dir():
        return f"{file} is a folder. Name another one with --workdir"
    # A run that was killed early may leave an empty file, and no artifacts.
    if not file.exists() or not file.stat().st_size:
        if folder.artifacts.is_dir() and any(folder.artifacts.iterdir()):
            away = _AWAY.format(folder.artifacts)
            return f"{file}, which says what the folders in {folder.artifacts} are, is gone: put it back; or {away}"
        return None
    try:
        with file.open("r+b") as opened:
            head = opened.read(len(_SQLITE))
    except OSError as error:
        return f"{file}: {error.strerror}. Name a folder of your own with --workdir"
    if head != _SQLITE:
        return f"{file} is no SQLite database. Name another folder with --workdir"
    if damage := _damage(file):
        away = _AWAY.format(f"it and {folder.artifacts}")
        return f"{file} is damaged ({damage}): put a copy of it back if there is one; or {away}"
    return None


def _damage(file: Path) -> str | None:
    try:
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            [found] = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:  # another program writes it, or was killed at that: the run waits, or mends it
        return None
    except UnicodeDecodeError:  # what SQLite says quotes the damaged text
        return "its tables can't be read"
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if found == "ok" else " ".join(found.split())
