"""What a person sees of a local run while it runs: a line a component."""

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from components.tools.console import say
from pipeline.local.progress_lines import ProgressLines
from pipeline.local.reports import Report, Reports
from pipeline.local.runner import NodeRun
from pipeline.run_table import STYLES, plain_line


class RunDisplay:
    """A live list on a terminal; elsewhere plain lines: a component's end, and the progress of long ones.

    Args:
        console: where to write.
        nodes: the components' ids, in order.
        progress: the file that long components append their reports to.
    """

    def __init__(self, console: Console, nodes: Sequence[str], progress: Path) -> None:
        self._console = console
        self._runs = {node: NodeRun(node) for node in nodes}
        self._started: dict[str, float] = {}
        self._report = ""
        self._width = max(map(len, nodes))
        self._reports = Reports(progress)
        self._lines: ProgressLines | None = None
        self._live: Live | None = None
        if console.is_terminal:
            self._live = Live(get_renderable=self._render, console=console, refresh_per_second=4, transient=True)
        else:
            self._lines = ProgressLines(self._reports, self._write_progress)

    def __enter__(self) -> "RunDisplay":
        if self._live:
            self._live.start()
        if self._lines:
            self._lines.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live:
            self._live.stop()
        if self._lines:
            self._lines.stop()
        self._reports.close()

    def changed(self, run: NodeRun) -> None:
        """Show that a component's state has changed."""
        self._runs[run.node] = run
        if run.state == "running":
            self._started[run.node] = time.monotonic()
            self._report = ""
            if self._lines:
                self._lines.begun(run.node)
        elif self._lines:
            self._lines.ended()
            say(self._console, plain_line(run, self._width))

    def _write_progress(self, node: str, seconds: float, text: str) -> None:
        say(self._console, f"{node:<{self._width}}  running {seconds:7.1f} s  {text}".rstrip())

    def _render(self) -> RenderableType:
        for report in self._reports.read():
            self._report = _with_bar(report)
        lines: list[RenderableType] = []
        for run in self._runs.values():
            name = f"{run.node:<{self._width}}"
            style = STYLES[run.state]
            if run.state == "running":
                seconds = time.monotonic() - self._started[run.node]
                lines.append(Spinner("dots", Text(f"{name}  running {seconds:7.1f} s  {self._report}", style)))
            elif run.state == "waiting":
                lines.append(Text(f"· {name}  waiting", style))
            else:
                mark = "✗" if run.state == "failed" else "✓"
                lines.append(Text(f"{mark} {plain_line(run, self._width)}", style))
        return Group(*lines)


def _with_bar(report: Report) -> str:
    if not report.total:
        return report.text
    filled = round(20 * report.step / report.total)
    return f"{'━' * filled}{'─' * (20 - filled)} {report.step}/{report.total}  {report.text}"
