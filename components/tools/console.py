"""Tables and lines for people, in a terminal or read from a pipe."""

from rich.console import Console

from components.tools.printable import printable_lines

_HUGE = 10_000


def uncut_console() -> Console:
    """Return a console that fits the terminal, and never cuts what a pipe or a file gets."""
    console = Console()
    return console if console.is_terminal else Console(width=_HUGE)


def say(console: Console, text: str, style: str | None = None) -> None:
    """Print lines as they are: nothing in them is markup, cut, or acts on the terminal."""
    console.print(printable_lines(text), style=style, highlight=False, markup=False, soft_wrap=True)
