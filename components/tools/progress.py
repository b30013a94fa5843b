"""Progress of a long component, for whoever watches: one JSON line a report in the file `PIPELINE_PROGRESS` names.

Components run where their output goes to a log; the runner that shows progress to a person reads this file.
"""

import json
import os
import time
from pathlib import Path

from components.tools.environment import PROGRESS

_SECONDS_BETWEEN = 0.2


class Progress:
    """Reports of one component; without a listener they cost nothing.

    Args:
        component: its id.
        total: what there is to do.
        worth_a_line: each report is news by itself, such as an epoch: a log gets a line of it.
    """

    def __init__(self, component: str, total: int, *, worth_a_line: bool = False) -> None:
        self._component, self._total, self._worth_a_line = component, total, worth_a_line
        self._path = os.environ.get(PROGRESS)
        self._last = 0.0

    def __call__(self, step: int, text: str = "") -> None:
        """Say that `step` of the total are done; more often than five times a second isn't passed on."""
        now = time.monotonic()
        if not self._path or (now - self._last < _SECONDS_BETWEEN and step < self._total):
            return
        self._last = now
        report = {"component": self._component, "step": step, "total": self._total, "text": text}
        line = json.dumps(report | {"worth_a_line": self._worth_a_line})
        with Path(self._path).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
