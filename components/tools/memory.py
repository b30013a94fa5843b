"""How much memory a process may take: the machine's, or less where a control group says so, as a container's does."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

# Of the unified hierarchy and of the older one: where it is mounted, the controller's name, the file with the limit.
_HIERARCHIES = (("", "", "memory.max"), ("memory", "memory", "memory.limit_in_bytes"))


def memory_limit(groups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int:
    """Return the bytes that this process and those it shares limits with may take in all.

    Args:
        groups: where control groups are mounted.
        own: the file that names this process' groups.
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *_limits(groups, own)])


def _limits(groups: Path, own: Path) -> Iterator[int]:
    try:
        lines = own.read_text().splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for mount, controller, name in _HIERARCHIES:
            if controller not in controllers.split(",") or bool(controller) != bool(controllers):
                continue
            # A limit holds for all groups below; in a container the path may be that of the world outside.
            place = PurePosixPath(path.lstrip("/"))
            for group in (place, *place.parents):
                try:
                    limit = (groups / mount / group / name).read_text().strip()
                except OSError:
                    continue
                if limit.isdecimal():  # "max" is none
                    yield int(limit)
