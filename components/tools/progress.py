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
    """Reports of one component; without a listener they cost nothing."""

    def __init__(self, component: str, total: int) -> None:
        self._component, self._total = component, total
        self._path = os.environ.get(PROGRESS)
        self._last = 0.0

    def __call__(self, step: int, text: str = "") -> None:
        """Say that `step` of the total are done; more often than five times a second isn't passed on."""
        now = time.monotonic()
        if not self._path or (now - self._last < _SECONDS_BETWEEN and step < self._total):
            return
        self._last = now
        line = json.dumps({"component": self._component, "step": step, "total": self._total, "text": text})
        with Path(self._path).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
