"""The number that each format carries; what an older program wrote carries none, and is read as version 1."""

KEY = "format_version"


class NewerFormatError(ValueError):
    """A file of a format that this program is too old for."""


def check_version(found: int | str | None, newest: int, where: str) -> None:
    """Make sure that this program can read what it found.

    Args:
        found: the number in the file; None where there is none.
        newest: the newest that this program reads.
        where: the file, for the message.

    Raises:
        NewerFormatError: the file is of a later format.
    """
    if found is not None and int(found) > newest:
        raise NewerFormatError(
            f"{where} has format {found}, and this program reads up to {newest}: "
            "read it with the release that wrote it, or a later one"
        )
