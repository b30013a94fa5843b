"""Whether a URI's store can be reached from here at all: its scheme is known, and its driver installed."""

from components.tools.passwords import revealed
from components.tools.retries import reason

# Their drivers are of pure Python, and look for credentials as soon as they are made: Google's for 15 seconds.
_ASK_FOR_CREDENTIALS = ("s3", "gs", "gcs")


def why_no_store(uri: str) -> str | None:
    """Return why a URI can't be opened, in a line; None for what can be, and for a path.

    Nothing is asked of the store: this is about the scheme and what it needs here.
    """
    scheme, separator, _ = uri.partition("://")
    if not separator or scheme == "file":
        return None
    import fsspec  # takes a quarter of a second, and a path doesn't need it

    try:
        if scheme in _ASK_FOR_CREDENTIALS:
            fsspec.get_filesystem_class(scheme)
        else:
            fsspec.core.url_to_fs(revealed(uri))
    except Exception as error:  # each driver fails in a way of its own where a library of its is missing
        return (
            f"{scheme}:// has no driver that works here ({reason(error)}): use s3://, gs://, or a folder, "
            "such as one where it is mounted"
        )
    return None
