"""What a run failed of, in a line that a person can read."""

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from components.tools.passwords import masked
from components.work.cause import unanswered

_LINES, _LONGEST = 6, 500
# What Python, Arrow and TensorFlow make of a full disk, SQLite, and quotas.
_FULL = ("No space left on device", "disk is full", "Disk quota exceeded")
_NUMBERS = (errno.ENOSPC, errno.EDQUOT)


def reason(error: BaseException | None, workdir: Path) -> str:
    """Return why something failed: the first lines of the message, and what to do about a full disk.

    Args:
        error: what was raised.
        workdir: the run's folder.
    """
    if is_disk_full(error):
        return disk_full(workdir)
    if told := unanswered(str(error)):
        return told
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    kind = "" if isinstance(error, (ValueError, RuntimeError)) else f"{type(error).__name__}: "
    return masked(kind + "\n".join(cut(line) for line in lines[:_LINES]))


def cut(line: str) -> str:
    """Return a line as far as it can be read: some libraries put a list of thousands of files into one."""
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} … ({len(line):,} characters)"


def is_disk_full(error: BaseException | None) -> bool:
    """Return whether a full disk is behind an exception."""
    return any(
        (isinstance(one, OSError) and one.errno in _NUMBERS) or any(text in str(one) for text in _FULL)
        for one in _chain(error)
    )


def disk_full(workdir: Path) -> str:
    """Return what to do where no space is left, with what there is by now."""
    return (
        f"no space was left on a disk. Free are {_free(workdir)} in the workdir {workdir}, where temporary files go as "
        "well: make room (`affect gc` lists what no run needs), or name another folder with --workdir"
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _free(folder: Path) -> str:
    try:
        return f"{shutil.disk_usage(folder).free / 1e6:,.0f} MB"
    except OSError:
        return "unknown MB"
