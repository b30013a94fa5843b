"""What a person sees of a local run while it runs: a line a component."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from pipeline.local.runner import NodeRun
from pipeline.run_table import STYLES, plain_line


class RunDisplay:
    """A live list on a terminal; elsewhere one plain line at each component's end.

    Args:
        console: where to write.
        nodes: the components' ids, in order.
        progress: the file that long components append their reports to.
    """

    def __init__(self, console: Console, nodes: Sequence[str], progress: Path) -> None:
        self._console = console
        self._runs = {node: NodeRun(node) for node in nodes}
        self._started: dict[str, float] = {}
        self._progress = progress
        self._report = ""
        self._reader: IO[str] | None = None
        self._width = max(map(len, nodes))
        self._live = Live(get_renderable=self._render, console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> "RunDisplay":
        self._progress.write_text("")
        self._reader = self._progress.open(encoding="utf-8")
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._console.is_terminal:
            self._live.stop()
        if self._reader:
            self._reader.close()

    def changed(self, run: NodeRun) -> None:
        """Show that a component's state has changed."""
        self._runs[run.node] = run
        if run.state == "running":
            self._started[run.node] = time.monotonic()
            self._report = ""
        elif not self._console.is_terminal:
            self._console.print(plain_line(run, self._width), highlight=False, markup=False, soft_wrap=True)

    def _render(self) -> RenderableType:
        self._read_reports()
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

    def _read_reports(self) -> None:
        if not self._reader:
            return
        for line in self._reader:
            try:
                report = json.loads(line)
            except ValueError:  # half a line: the rest comes with the next look
                continue
            self._report = _describe(report)


def _describe(report: dict[str, Any]) -> str:
    step, total, text = report.get("step", 0), report.get("total", 0), report.get("text", "")
    if not total:
        return str(text)
    filled = round(20 * step / total)
    return f"{'━' * filled}{'─' * (20 - filled)} {step}/{total}  {text}"
