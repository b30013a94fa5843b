"""Whether something can be written at a place, found out before the work whose result is to go there."""

import errno
import os
import tempfile
from pathlib import Path

from components.tools.files import StrPath

_PROBE = bytes(4096)


def why_no_folder(path: StrPath) -> str | None:
    """Return why nothing can be written into a folder, which may be missing as yet; None where it can.

    What is there already of the path must be folders; in the last of them a nameless file is written.
    """
    folder = Path(path).absolute()
    there = next(parent for parent in (folder, *folder.parents) if os.path.lexists(parent))
    if not there.is_dir():
        return f"{there} is {'a dangling link' if there.is_symlink() else 'a file'}, not a folder"
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(_PROBE)
            file.flush()
    except OSError as error:
        return f"{there}: {error.strerror}"
    return None


def why_no_file(path: StrPath) -> str | None:
    """Return why no file can be written at a path; None where it can. Its folder must be there."""
    file = Path(path).absolute()
    if file.is_dir():
        return f"{path} is a folder"
    if not file.parent.exists():
        return f"there is no folder {Path(path).parent}; make it first"
    return why_no_folder(file.parent)


def not_writable(what: str, problem: str) -> str:
    """Return the message for a place that can't be written to: what it is, why, and what to do.

    Args:
        what: the option and what it names, such as `--csv x.csv`.
        problem: from `why_no_folder` or `why_no_file`, or an error's own words.
    """
    full = os.strerror(errno.ENOSPC) in problem or os.strerror(errno.EDQUOT) in problem
    remedy = "Make room there, or name another place" if full else "Name another place, or make this one writable"
    return f"can't write {what}: {problem}. {remedy}"
