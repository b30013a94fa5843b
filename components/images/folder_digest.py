"""A digest of everything in a data folder, by which a runner can tell that it changed without ingesting it."""

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from components.images.containers.kind import container_at
from components.images.places import found_places
from components.images.source import Listing, Source, open_source

_THREADS = 8
# Files that only have times are read as long as that takes seconds, also from a volume that is mounted over a network.
_READ_UP_TO = 1 << 30
_OF_NOTHING = hashlib.sha256().hexdigest()


def folder_digest(uri: str, follow_links: bool = False) -> str:
    """Return the SHA-256 over the names and contents of all files below a folder or prefix, as hex.

    What is surely no data (see `components.images.left_out`) doesn't count: a run may write below its own data. Of a
    file that holds images it is that of the file.

    Args:
        uri: path, or URI in an object store; or several of them (`components.images.places`).
        follow_links: see `open_source`.

    Raises:
        SourceError: there is no such folder or file, or it can't be read.
    """
    places = found_places(uri)
    if "" not in places:
        return _of_several({name: folder_digest(place, follow_links) for name, place in places.items()})
    if container := container_at(uri):
        return container.sha256()
    source = open_source(uri, follow_links)
    listing = source.list()
    return _digest(listing, _contents(source, listing))


def quick_digest(uri: str, read_up_to: int = _READ_UP_TO, *, follow_links: bool = False) -> str:
    """Return a digest of a folder or prefix that is there within seconds, as hex.

    It is of names, sizes and tags where the store has a tag for each content, as object stores do. Elsewhere it is
    `folder_digest` up to a size, and beyond that of names, sizes and times: a file that was changed has another time,
    and one that was merely touched makes another digest too.

    Args:
        uri: path, or URI in an object store; or several of them, each of which is read up to that size.
        read_up_to: bytes that are read at most where there are no tags, but for files that have no time either.
        follow_links: see `open_source`.

    Raises:
        SourceError: there is no such folder or file, or it can't be listed.
    """
    places = found_places(uri)
    if "" not in places:
        found = {name: quick_digest(place, read_up_to, follow_links=follow_links) for name, place in places.items()}
        return _of_several(found)
    if container := container_at(uri):
        stamp = container.stamp()
        known = stamp.is_exact or (stamp.size > read_up_to and stamp.tag)
        return hashlib.sha256(f"{stamp.size} {stamp.tag}".encode()).hexdigest() if known else container.sha256()
    source = open_source(uri, follow_links)
    listing = source.list()
    stamps = [listing.stamps[file_id] for file_id in listing.files]
    is_much = sum(stamp.size for stamp in stamps) > read_up_to
    if all(stamp.is_exact or (is_much and stamp.tag) for stamp in stamps):
        return _digest(listing, (f"{stamp.size} {stamp.tag}\0".encode() for stamp in stamps))
    return _digest(listing, _contents(source, listing))


def _of_several(digests: Mapping[str, str]) -> str:
    # The folder of a month may be there before its first image.
    lines = (f"{name}\0{digest}\n" for name, digest in sorted(digests.items()) if digest != _OF_NOTHING)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _contents(source: Source, listing: Listing) -> Iterable[bytes]:
    def digest_of(file_id: str) -> bytes:
        try:
            digest = hashlib.sha256()
            for piece in source.pieces(file_id):
                digest.update(piece)
            return digest.digest()
        except OSError:  # ingest reports it
            return b"unreadable"

    with ThreadPoolExecutor(_THREADS) as pool:
        yield from pool.map(digest_of, listing.files)


def _digest(listing: Listing, marks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for file_id, reason in listing.unusable:
        digest.update(f"{file_id}\0{reason}\0".encode())
    for folder in listing.folders:
        digest.update(f"{folder}/\0".encode())
    for file_id, mark in zip(listing.files, marks, strict=True):
        digest.update(file_id.encode() + b"\0" + mark)
    return digest.hexdigest()
