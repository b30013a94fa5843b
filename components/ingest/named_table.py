"""A table that an option names: its content, and how it and the data folder lie to each other."""

import os
from pathlib import Path

from components.images.source import Listing, SourceError, printable
from components.tools.passwords import revealed
from components.tools.retries import with_retries


def content_of(uri: str, option: str) -> bytes:
    """Return the bytes of a file, here or in an object store.

    Args:
        uri: of the file.
        option: that names it, for the message.

    Raises:
        SourceError: it can't be read.
    """
    import fsspec  # takes a quarter of a second, and most folders have no table

    def read() -> bytes:
        with fsspec.open(revealed(uri), "rb") as file:
            return file.read()  # type: ignore[no-any-return]

    try:
        return with_retries(read) if "://" in uri else read()
    except OSError as error:
        raise SourceError(f"can't read {option} = {uri}: {error}") from None


def id_within(table: str, uri: str, listing: Listing) -> str | None:
    """Return a table's id where it lies in the data folder `uri`."""
    if "://" in uri or "://" in table:
        file = table.removeprefix(f"{uri.rstrip('/')}/") if table.startswith(f"{uri.rstrip('/')}/") else ""
    else:
        file = printable(os.fsencode(os.path.relpath(os.path.realpath(table), os.path.realpath(uri))))
    return file if file in set(listing.files) else None


def roots_of(uri: str) -> list[str]:
    """Return what the data folder may be called at the beginning of an absolute path."""
    return [uri] if "://" in uri else [uri, str(Path(uri).absolute()), os.path.realpath(uri)]
