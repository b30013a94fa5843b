"""What a run says of long components where its output is a pipe or a file: a line an epoch, or one a minute."""

import threading
import time
from collections.abc import Callable

from pipeline.local.reports import Reports

_LOOKS_PER_SECOND = 2


class ProgressLines:
    """Writes lines from a thread of its own, as the run's own thread is busy with the component.

    Args:
        reports: what components say of their progress.
        write: takes a component's id, the seconds that it has been running, and what it is at.
        quiet: the longest time in seconds that nothing is said.
    """

    def __init__(self, reports: Reports, write: Callable[[str, float, str], None], quiet: float = 60.0) -> None:
        self._reports, self._write, self._quiet = reports, write, quiet
        self._lock = threading.Lock()
        self._node: str | None = None
        self._started = self._spoke = 0.0
        self._last = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="progress lines", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End, after what was reported until now."""
        self._over.set()
        self._thread.join()

    def begun(self, node: str) -> None:
        """Note that a component runs from now on."""
        with self._lock:
            self._node, self._last = node, ""
            self._started = self._spoke = time.monotonic()

    def ended(self) -> None:
        """Say what the component has reported to its end; it runs no longer."""
        with self._lock:
            self._speak()
            self._node = None

    def _look(self) -> None:
        while not self._over.wait(1 / _LOOKS_PER_SECOND):
            with self._lock:
                self._speak()

    def _speak(self) -> None:
        new = self._reports.read()
        if self._node is None:
            return
        for report in new:
            self._last = report.as_text()
            if report.worth_a_line:
                self._say(self._node)
        if time.monotonic() - self._spoke >= self._quiet:
            self._say(self._node)

    def _say(self, node: str) -> None:
        self._spoke = time.monotonic()
        self._write(node, self._spoke - self._started, self._last)
