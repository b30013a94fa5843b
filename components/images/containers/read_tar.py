"""Find the files in a tar archive, compressed or not."""

import bz2
import gzip
import lzma
import os
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from components.images.containers.archive_names import ArchiveEntry, arrange
from components.images.containers.contents import Contents
from components.images.containers.members import Member, refuse_bomb
from components.images.source import SourceError, printable
from components.tools.retries import reason

_PIECE = 1 << 20
_BLOCK = tarfile.BLOCKSIZE
_OPENERS: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}


def is_compressed(head: bytes) -> bool:
    """Return whether a file with these first bytes is compressed by gzip, bzip2 or xz."""
    return head.startswith(tuple(_OPENERS))


def starts_a_tar(block: bytes) -> bool:
    """Return whether a tar archive can begin with that block of 512 bytes."""
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def compressed_head(path: Path) -> bytes:
    """Return the first block of what is compressed in a file; b"" if it can't be read."""
    try:
        with _opened(path) as file:
            return file.read(_BLOCK)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return b""


def unpack_tar(path: Path, name: str, target: Path) -> None:
    """Write the tar archive that is compressed in a file: from a compressed one nothing can be read out of turn.

    Raises:
        SourceError: it is damaged, cut off or a bomb.
    """
    size, unpacked = path.stat().st_size, 0
    with target.open("wb") as out, _opened(path) as file:
        while piece := _piece(file, name):
            unpacked += len(piece)
            refuse_bomb(name, size, unpacked)
            out.write(piece)


def read_tar(path: Path, name: str) -> Contents:
    """Return what is in a tar archive that isn't compressed; its bytes stay where they are.

    Args:
        path: of the archive.
        name: of the archive, for messages.

    Raises:
        SourceError: it is damaged or cut off.
    """
    try:
        with tarfile.open(path, "r:", encoding="utf-8", errors="surrogateescape") as archive:
            found = archive.getmembers()
            end = archive.offset
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise _damaged(name, reason(error)) from None
    _check_end(path, name, end)
    files = arrange([_entry(info) for info in found])
    members = {id_: Member(found[at].offset_data, found[at].size, found[at].size) for id_, at in files.members.items()}
    return Contents(path, members, files.listing())


def _entry(info: tarfile.TarInfo) -> ArchiveEntry:
    name, target = printable(os.fsencode(info.name)), printable(os.fsencode(info.linkname))
    if info.isdir():
        return ArchiveEntry(name, "folder")
    if info.issym():
        return ArchiveEntry(name, "link", target)
    if info.islnk():
        return ArchiveEntry(name, "hard link", target)
    if not info.isreg():
        return ArchiveEntry(name, "other")
    return ArchiveEntry(name, "file", unusable="sparse, which can't be read from an archive" if info.issparse() else "")


def _check_end(path: Path, name: str, end: int) -> None:
    """Refuse an archive without the zeros that end one: tarfile takes what it can't read for the end."""
    with path.open("rb") as file:
        file.seek(end)
        block = file.read(_BLOCK)
    if len(block) < _BLOCK or any(block):
        raise _damaged(name, f"neither an entry nor the end at byte {end}")


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        head = file.read(6)
    opener = next(opener for start, opener in _OPENERS.items() if head.startswith(start))
    return opener(path, "rb")  # type: ignore[no-any-return]


def _piece(file: IO[bytes], name: str) -> bytes:
    try:
        return file.read(_PIECE)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise _damaged(name, reason(error)) from None
    except OSError as error:
        if error.errno:
            raise
        raise _damaged(name, reason(error)) from None


def _damaged(name: str, why: str) -> SourceError:
    return SourceError(f"data: {name} isn't a whole tar archive ({why}): it is damaged or cut off. Get it again")
