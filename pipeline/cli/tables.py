"""Rows as a table for people or as one JSON list for programs."""

import json
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from components.tools.console import uncut_console
from components.tools.printable import printable, printable_json


def show(rows: Sequence[dict[str, Any]], as_json: bool, empty: str) -> None:
    """Print rows; a number that isn't one is null, never NaN.

    Args:
        rows: all with the same keys, which become the columns.
        as_json: one JSON list of objects instead of a table.
        empty: what to say instead of an empty table.
    """
    if as_json:
        click.echo(printable_json(json.dumps(_plain(list(rows)), indent=1, ensure_ascii=False, allow_nan=False)))
        return
    console = uncut_console()
    if not rows:
        console.print(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(_text(name, value))) for name, value in row.items()))
    console.print(table)


def _text(name: str, value: Any) -> str:
    """Return a value as a person reads it, by the name of its column."""
    if value is None:
        return "–"
    if name == "started":
        return datetime.fromtimestamp(value / 1000).strftime("%Y-%m-%d %H:%M:%S")
    if name == "bytes":
        return human_size(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if name == "seconds":
            return f"{value:.1f}"
        # On Kubeflow every number arrives as a float.
        return f"{value:.0f}" if value.is_integer() else f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{key}={_text('', inner)}" for key, inner in value.items())
    return str(value)


def human_size(size: int) -> str:
    """Bytes in the unit that fits."""
    number = float(size)
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
