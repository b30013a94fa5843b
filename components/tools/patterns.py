"""Characters of a path that make it a pattern of names to TensorFlow, TFX and Beam."""

# Of fnmatch, which all three use; TensorFlow alone takes a backslash for a quotation mark.
CHARACTERS = "*?[\\"


def has_pattern(path: str) -> bool:
    """Return whether a path can be taken for a pattern."""
    return bool(found_in(path))


def found_in(path: str) -> str:
    """Return the characters of a path that make it a pattern, each once, in the order of the path."""
    return "".join(dict.fromkeys(character for character in path if character in CHARACTERS))
