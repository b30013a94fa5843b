"""Can files be moved in a folder? Not across mounts, nor where nobody may write: known before anything is done."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")  # proc(5): the fifth field is where something is mounted
_ESCAPED = re.compile(rb"\\([0-7]{3})")


def why_not_movable(target: Path, folders: Iterable[Path]) -> str | None:
    """Return why files can't be moved within a folder, and the remedy; None where they can.

    Renaming fails between two mounts, even those of one file system, as `docker run -v` makes them.

    Args:
        target: the folder that is changed as a whole.
        folders: below it, those that files are moved from or to.
    """
    root = target.resolve()
    for mount in _mounts():
        if root in mount.parents and mount.relative_to(root).parts[0] in ("train", "test"):
            return (
                f"{mount} is mounted by itself, and files can't be moved out of a mount or into it. Mount {target} as "
                "a whole, or write elsewhere with --output-path. Nothing was changed"
            )
    for folder in folders:
        if not os.access(folder, os.W_OK | os.X_OK):
            return (
                f"nothing may be moved out of {folder}: it can't be written to. Change its permissions, or write "
                "elsewhere with --output-path. Nothing was changed"
            )
    return None


def _mounts() -> Iterator[Path]:
    try:
        lines = _MOUNTS.read_bytes().splitlines()
    except OSError:  # a system that doesn't tell: there renaming fails, if it does
        return
    for line in lines:
        yield Path(os.fsdecode(_ESCAPED.sub(lambda octal: bytes([int(octal[1], 8)]), line.split()[4])))
