"""The notice of a local run, however it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from components.formats import nodes
from components.tools.passwords import masked
from pipeline.local.failures import reason
from pipeline.local.workdir import Workdir, WorkdirLocked
from pipeline.notice.message import Outcome, State, as_message, figures, one_line
from pipeline.notice.options import NotifyOptions
from pipeline.notice.send import send

if TYPE_CHECKING:  # TFX, which isn't imported before it is needed
    from pipeline.local.runner import NodeRun

_ENDED = ("done", "cached")


@dataclass
class Heard:
    """What is known of a run until now.

    Attributes:
        run_id: its name.
        is_run: whether there is anything to tell; not where nothing has changed since the last one.
        runs: the components that have begun, by their ids.
    """

    run_id: str = ""
    is_run: bool = True
    runs: dict[str, NodeRun] = field(default_factory=dict)

    def changed(self, run: NodeRun) -> None:
        """Note a component's state."""
        self.runs[run.node] = run

    def is_complete(self) -> bool:
        """Return whether nothing is left that the next run makes up for, such as what a tracking server missed."""
        return not self._ended(nodes.RUN_TRACKER).get("tracked", {}).get("problem")

    def outcome(self, error: BaseException | None, folder: Workdir) -> Outcome:
        """Return how the run ended.

        Args:
            error: what ended it, unless it came to its end.
            folder: the workdir.
        """
        failed = next((run for run in self.runs.values() if run.state == "failed"), None)
        pushed = self._ended(nodes.PUSHER).get("pushed_model", {})
        state: State = "succeeded" if pushed.get("pushed") else "not blessed"
        if error is not None or failed is not None:
            state = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        cause = failed.error if failed else None if isinstance(error, KeyboardInterrupt) else error
        reported = nodes.REPORT in self.runs and self.runs[nodes.REPORT].state in _ENDED
        return Outcome(
            run=self.run_id,
            state=state,
            component=failed.node if failed else "",
            cause=one_line(reason(cause, folder.root)) if cause is not None else "",
            figures=figures({node: self._ended(node) for node in self.runs}),
            report=str(folder.report) if reported else "",
            model=masked(str(pushed.get("pushed_destination", ""))),
        )

    def _ended(self, node: str) -> dict[str, dict[str, object]]:
        run = self.runs.get(node)
        return run.properties if run is not None and run.state in _ENDED else {}


@contextlib.contextmanager
def notified(options: NotifyOptions, folder: Workdir, warn: Callable[[str], None]) -> Iterator[Heard]:
    """Yield what notes the run's course, and send the notice at the end of the block.

    Args:
        options: who is told, if anybody.
        folder: the workdir.
        warn: called with a line if the notice can't be sent, which changes nothing else.
    """
    heard = Heard()
    ended: BaseException | None = None
    try:
        yield heard
    except WorkdirLocked:  # another run is at work there, and will tell of itself
        heard.is_run = False
        raise
    except BaseException as error:
        ended = error
        raise
    finally:
        if options.wanted and heard.is_run:
            # Whoever stops a run doesn't wait long for it.
            few = {"attempts": 1} if isinstance(ended, KeyboardInterrupt) else {}
            if problem := send(options.url(), as_message(heard.outcome(ended, folder)), **few):
                warn(f"Warning: the notice wasn't sent to {problem}")
