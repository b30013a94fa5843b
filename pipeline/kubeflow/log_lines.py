"""The lines of a pod's log that are for the one who follows the run: what was made, and why it failed. Pure.

They are all that a finished pod says through Kubeflow's API of every release.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

_MADE = "made: "
_FAILED = "failed: "
# Go's log, and Argo's, around the component's own lines.
_NOT_OURS = re.compile(r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ |time=\"|\s*$")
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
    """Return why the executor failed: its own word, or what it said last before it was killed."""
    lines = [line for line in log.splitlines() if not _NOT_OURS.match(line)]
    own = next((line for line in reversed(lines) if line.startswith(_FAILED)), None)
    return own.removeprefix(_FAILED) if own else "\n".join(lines[-_LAST_LINES:])
