"""Text from elsewhere, such as a file's name, fit for a message of one line."""


def printable(text: str) -> str:
    r"""Return the text with bytes that aren't UTF-8 (as surrogates) and control characters spelled out, like `\xNN`."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
