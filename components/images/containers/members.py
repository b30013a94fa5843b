"""Files within one file: where each lies in it, and how its bytes are read. And how such a file is written.

A member's bytes lie there as they are, or behind a zip's local header, stored or compressed. Readers open the file for
each member: they work from any thread and process, and hold a piece at a time.
"""

import bz2
import struct
import zlib
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from components.images.source import DamagedFile, SourceError

# Methods of compression: of no zip, and those of zips that can be read.
PLAIN = -1
STORED, DEFLATED, BZIP2 = 0, 8, 12
_PIECE = 1 << 20
_HEADER = struct.Struct("<4s22xHH")  # of a zip's entry: signature, lengths of the name and of the extra field

# What a file may hold without being taken for a bomb: this many bytes, or as many times its own size. Images hardly
# get smaller in an archive.
_LARGE = 1 << 30
_MOST_TIMES = 100


class Member(NamedTuple):
    """Where a file lies.

    Attributes:
        offset: of its bytes, or of its local header in a zip.
        stored: bytes that it takes there.
        size: bytes that it has.
        method: PLAIN, or a zip's method of compression.
        crc: of its bytes; None where none is known.
    """

    offset: int
    stored: int
    size: int
    method: int = PLAIN
    crc: int | None = None


def pieces(path: Path, member: Member) -> Generator[bytes, None, None]:
    """Yield the bytes of a member, a mebibyte at a time.

    Raises:
        DamagedFile: the file is cut off, or it isn't what the archive says of it.
        OSError: the file can't be read.
    """
    crc = size = 0
    with path.open("rb") as file:
        file.seek(member.offset)
        if member.method != PLAIN:
            _skip_header(file)
        try:
            for piece in _unpacked(_raw(file, member.stored), member.method):
                crc, size = zlib.crc32(piece, crc), size + len(piece)
                if size > member.size:
                    raise DamagedFile("damaged: it is longer than the archive says")
                yield piece
        except (zlib.error, EOFError) as error:
            raise DamagedFile(f"damaged: {error}") from None
        except OSError as error:
            raise error if error.errno or isinstance(error, DamagedFile) else DamagedFile(f"damaged: {error}") from None
    if size < member.size:
        raise DamagedFile("damaged: it is shorter than the archive says")
    if member.crc not in (None, crc):
        raise DamagedFile("damaged: its checksum is wrong")


def refuse_bomb(name: str, size: int, unpacked: int) -> None:
    """Refuse to unpack a file that holds absurdly much more than it is long.

    Args:
        name: of the file.
        size: in bytes.
        unpacked: bytes that it holds, as far as is known.

    Raises:
        SourceError: it does.
    """
    if unpacked > max(_LARGE, _MOST_TIMES * size):
        raise SourceError(
            f"data: {name} has {size} bytes and unpacks to more than {unpacked}: refused, it may be a bomb. "
            "Unpack it by hand if you trust it, and give the folder"
        )


class Pack:
    """A file into which others are written one behind the other."""

    def __init__(self, path: Path, name: str, size: int) -> None:
        """Open it.

        Args:
            path: of the new file.
            name: of what is unpacked, for messages.
            size: of that, in bytes.
        """
        self._file = path.open("wb")
        self._of = (name, size)
        self._end = 0

    def add(self, data: bytes) -> Member:
        """Write one file.

        Raises:
            SourceError: it has become absurdly much, see `refuse_bomb`.
        """
        member = Member(self._end, len(data), len(data), PLAIN, zlib.crc32(data))
        self._end += len(data)
        refuse_bomb(*self._of, self._end)
        self._file.write(data)
        return member

    def __enter__(self) -> "Pack":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


def _skip_header(file: BinaryIO) -> None:
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size or not header.startswith(b"PK\3\4"):
        raise DamagedFile("damaged: it isn't where the archive says")
    _, name, extra = _HEADER.unpack(header)
    file.seek(name + extra, 1)


def _raw(file: BinaryIO, length: int) -> Generator[bytes, None, None]:
    while length and (piece := file.read(min(length, _PIECE))):
        length -= len(piece)
        yield piece


def _unpacked(raw: Generator[bytes, None, None], method: int) -> Generator[bytes, None, None]:
    if method in (PLAIN, STORED):
        yield from raw
    elif method == DEFLATED:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        for packed in raw:
            while packed and not inflate.eof:
                if piece := inflate.decompress(packed, _PIECE):
                    yield piece
                packed = inflate.unconsumed_tail
        if rest := inflate.flush():
            yield rest
    else:
        bunzip = bz2.BZ2Decompressor()
        for packed in raw:
            while not bunzip.eof and (packed or not bunzip.needs_input):
                if piece := bunzip.decompress(packed, _PIECE):
                    yield piece
                packed = b""
