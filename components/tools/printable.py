"""Text from elsewhere, such as a file's name, fit for a terminal: it can't act on it, nor look like something else."""

import re

# Joiners of letters and emoji: part of correct spelling, and without an effect of their own.
_JOINERS = "\u200c\u200d"
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins like this is run by spreadsheets
_STRING_OF_JSON = re.compile(r"[^\n\x20-\x7e]")
# Surrogates that stand for no byte of a name, such as JSON may hold.
_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def printable(text: str) -> str:
    r"""Return the text in one line, with what isn't printed spelled out, like `\xNN`.

    That is bytes that aren't UTF-8 (as surrogates), control characters, such as those that colour or overwrite a
    terminal's text, and marks that turn the direction of what follows.
    """
    text = _NO_BYTE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(
        char if char.isprintable() or char in _JOINERS else char.encode("unicode_escape").decode() for char in text
    )


def printable_lines(text: str) -> str:
    """Return the text with what isn't printed spelled out but the ends of its lines."""
    return "\n".join(map(printable, text.split("\n")))


def printable_json(text: str) -> str:
    r"""Return a JSON document that means the same, with what isn't printed as `\uNNNN`."""

    def escaped(found: re.Match[str]) -> str:
        char = found[0]
        if char.isprintable() or char in _JOINERS:
            return char
        units = char.encode("utf-16-be", "surrogatepass")
        return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))

    return _STRING_OF_JSON.sub(escaped, text)


def harmless_cell(value: str) -> str:
    """Return a cell of a table that a spreadsheet shows as it is, and doesn't run as a formula.

    A quote in front says that it is text: OWASP, "CSV Injection".
    """
    return f"'{value}" if value.startswith(FORMULA) else value
