"""A table that an option names: its content, and how it and the data folder lie to each other."""

import os
from pathlib import Path

from components.images.joined_source import below
from components.images.places import found_places
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
    """Return a table's id where it lies in a data folder of `uri`."""
    files = set(listing.files)
    found = (below(name, _path_within(table, place)) for name, place in found_places(uri).items())
    return next((file for file in found if file in files), None)


def _path_within(table: str, place: str) -> str:
    if "://" in place or "://" in table:
        return table.removeprefix(f"{place.rstrip('/')}/") if table.startswith(f"{place.rstrip('/')}/") else ""
    return printable(os.fsencode(os.path.relpath(os.path.realpath(table), os.path.realpath(place))))


def roots_of(uri: str) -> dict[str, str]:
    """Return what the data folders may be called at the beginning of an absolute path, each with its name."""
    return {
        root: name
        for name, place in found_places(uri).items()
        for root in ([place] if "://" in place else [place, str(Path(place).absolute()), os.path.realpath(place)])
    }
