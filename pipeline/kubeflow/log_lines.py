"""The lines of a pod's log that are for the one who follows the run: what was made, and why it failed. Pure.

They are all that a finished pod says through Kubeflow's API of every release.
"""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

_MADE = "made: "
_FAILED = "failed: "
# The log of Kubeflow's launcher and driver, then that of Argo's executor up to 3 (quoted) and from 4 on, around the
# component's own lines.
_NOT_OURS = re.compile(r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ |time=\"?\d{4}-|Error: exit status \d+$|\s*$")
_FATAL = re.compile(r"F\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+\] (?:failed to execute component: )?(.*)")
_EXIT_STATUS = re.compile(r"exit status \d+")
_KILLED = "signal: "
_LAST_LINES = 5


def made(artifacts: Mapping[str, Any]) -> str:
    """Return the line on what an executor made.

    Args:
        artifacts: `artifacts` of ExecutorOutput.
    """
    properties = {name: found["artifacts"][0].get("metadata", {}) for name, found in artifacts.items()}
    return _MADE + json.dumps(properties, sort_keys=True)


def failed(error: BaseException) -> str:
    """Return the line on why an executor failed."""
    reason = " ".join(str(error).split())
    return f"{_FAILED}{type(error).__name__}" + (f": {reason}" if reason else "")


def read_made(log: str) -> dict[str, dict[str, Any]]:
    """Return the properties of the output artifacts, by output; empty if the log has no such line."""
    for line in reversed(log.splitlines()):
        if line.startswith(_MADE):
            try:
                found = json.loads(line.removeprefix(_MADE))
            except ValueError:  # cut short
                return {}
            ours = isinstance(found, dict) and all(isinstance(values, dict) for values in found.values())
            return found if ours else {}
    return {}


def read_failure(log: str) -> str:
    """Return why a pod failed: its executor's own word, what it said last before it was killed, or the launcher's."""
    lines = log.splitlines()
    ours = [line for line in lines if not _NOT_OURS.match(line)]
    own = next((line for line in reversed(ours) if line.startswith(_FAILED)), None)
    if own:
        return own.removeprefix(_FAILED)
    launcher = _read_fatal(lines)
    if launcher and not launcher.startswith(_KILLED):  # the executor, if it began at all, had done its part
        return launcher
    return "\n".join([*ours[-_LAST_LINES:], *filter(None, [launcher])])


def _read_fatal(lines: Sequence[str]) -> str:
    """Return the last word of launcher or driver; "" if that is only that the executor failed."""
    number, match = next(
        ((number, match) for number, line in reversed(list(enumerate(lines))) if (match := _FATAL.match(line))),
        (0, None),
    )
    if match is None or _EXIT_STATUS.fullmatch(match[1]):
        return ""
    rest = takewhile(lambda line: not _NOT_OURS.match(line), lines[number + 1 :])
    return " ".join([match[1], *(line.strip() for line in rest)])
