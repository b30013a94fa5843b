"""A digest of everything in a data folder, by which a runner can tell that it changed without ingesting it."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

from components.images.source import open_source

_THREADS = 8


def folder_digest(uri: str) -> str:
    """Return the SHA-256 over the names and contents of all files below a folder or prefix, as hex.

    Raises:
        SourceError: there is no such folder, or it can't be listed.
    """
    source = open_source(uri)
    listing = source.list()

    def digest_of(file_id: str) -> bytes:
        try:
            return hashlib.sha256(source.read(file_id)).digest()
        except OSError:  # ingest reports it
            return b"unreadable"

    digest = hashlib.sha256()
    for file_id, reason in listing.unusable:
        digest.update(f"{file_id}\0{reason}\0".encode())
    for folder in listing.folders:
        digest.update(f"{folder}/\0".encode())
    with ThreadPoolExecutor(_THREADS) as pool:
        for file_id, content in zip(listing.files, pool.map(digest_of, listing.files), strict=True):
            digest.update(file_id.encode() + b"\0" + content)
    return digest.hexdigest()
