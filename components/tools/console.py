"""Tables for people, in a terminal or read from a pipe."""

from rich.console import Console

_HUGE = 10_000


def uncut_console() -> Console:
    """Return a console that fits the terminal, and never cuts what a pipe or a file gets."""
    console = Console()
    return console if console.is_terminal else Console(width=_HUGE)
