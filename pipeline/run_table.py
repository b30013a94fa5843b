"""The table of a run's components, local or on Kubeflow."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rich.table import Table
from rich.text import Text

from components.tools.printable import printable
from pipeline.figures import key_figure

STYLES = {
    "done": "green",
    "cached": "cyan",
    "failed": "bold red",
    "canceled": "bold red",
    "running": "yellow",
    "pending": "yellow",
    "waiting": "dim",
    "skipped": "dim",
}


class Row(Protocol):
    """What became of one component."""

    @property
    def node(self) -> str:
        """Its id."""

    @property
    def state(self) -> str:
        """A key of STYLES."""

    @property
    def seconds(self) -> float:
        """How long it has been at it, or took."""

    @property
    def properties(self) -> Mapping[str, Mapping[str, Any]]:
        """Custom properties of its output artifacts, by output."""


def run_table(rows: Sequence[Row]) -> Table:
    """Return component, status, time and key figure of each."""
    table = Table(title=None, box=None, pad_edge=False)
    table.add_column("component")
    table.add_column("status")
    table.add_column("time", justify="right")
    table.add_column("result")
    for row in rows:
        seconds = "" if row.state in ("waiting", "skipped") else f"{row.seconds:.1f} s"
        figure = Text(printable(key_figure(row.node, row.properties)))
        table.add_row(row.node, Text(row.state, STYLES[row.state]), seconds, figure)
    return table


def plain_line(row: Row, width: int) -> str:
    """Return one component as a line of a log.

    Args:
        row: what became of it.
        width: of the longest id.
    """
    text = f"{row.node:<{width}}  {row.state:<7} {row.seconds:7.1f} s  {key_figure(row.node, row.properties)}"
    return text.rstrip()
