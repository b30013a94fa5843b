"""A PNG's chunks: whether they are whole, and plain enough that TensorFlow is sure to decode them as Pillow does.

libpng, which TensorFlow uses, refuses a file whose checksums, limits or end don't hold; Pillow shows it, and refuses
texts of more than a megabyte, which libpng skips.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from PIL import PngImagePlugin

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">4s4sIIBBBBB4x")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by the kind of colours: grey, RGB, palette, both with transparency
_BIT_DEPTHS = (1, 2, 4, 8, 16)
# Of the seven passes of an interlaced picture: first row and column, and the steps to the next.
_PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
_LARGEST_CHUNK = 8_000_000  # bytes: libpng's limit, unless the pixels take more
_LARGEST_EXTRA = 1_000_000
_LARGEST_WINDOW = 1 << 15
_PIECE = 1 << 20
_NOT_PLAIN = {b"tRNS", b"acTL", b"fcTL", b"fdAT"}  # transparency and animation
_TEXTS = {b"tEXt", b"zTXt", b"iTXt", b"iCCP"}
# A deflated byte holds 1,032 at most: a shorter chunk can't exceed Pillow's limit.
_LONG = PngImagePlugin.MAX_TEXT_CHUNK // 1032
_TURNS = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")  # texts that may say which side is up


class _Header(NamedTuple):
    length: bytes
    kind: bytes
    width: int
    height: int
    bits: int
    colours: int
    compression: int
    filters: int
    interlacing: int


class _Chunk(NamedTuple):
    kind: bytes
    start: int  # of the content
    end: int
    matches: bool  # its checksum

    @property
    def is_critical(self) -> bool:
        return not self.kind[0] & 0x20


@dataclass(frozen=True)
class Png:
    """A file that begins with a PNG's signature."""

    data: bytes

    @property
    def damaged_chunk(self) -> str:
        """Kind of the first chunk of the picture whose checksum doesn't match, "" for none."""
        whole = (chunk for chunk in self._chunks if chunk.end + 4 <= len(self.data))
        return next((chunk.kind.decode() for chunk in whole if chunk.is_critical and not chunk.matches), "")

    @property
    def has_wide_colours(self) -> bool:
        """Whether it has colours, or grey with transparency, of 16 bits."""
        return self._header is not None and self._header.bits == 16 and self._header.colours in (2, 4, 6)

    @property
    def readable(self) -> bytes:
        """The file without texts that may be longer than Pillow reads; they say nothing of the picture."""

        def is_left_out(chunk: _Chunk) -> bool:
            is_long = chunk.kind in _TEXTS and chunk.end - chunk.start >= _LONG
            return is_long and not self.data.startswith(_TURNS, chunk.start, chunk.start + 32)

        if not any(map(is_left_out, self._chunks)):
            return self.data
        kept = [self.data[chunk.start - 8 : chunk.end + 4] for chunk in self._chunks if not is_left_out(chunk)]
        return b"".join([SIGNATURE, *kept, self.data[self._chunks[-1].end + 4 :]])

    @cached_property
    def lacks_rows(self) -> bool:
        """Whether the pixels end before the header says: Pillow shows black there, and doesn't say so."""
        return self._missing > 0

    def is_plain(self) -> bool:
        """Return True for grey or RGB of 8 bits, without transparency, animation or any fault."""
        header, chunks = self._header, self._chunks
        if header is None or chunks[-1].kind != b"IEND" or chunks[-1].start != chunks[-1].end:
            return False
        is_plain = (header.bits, header.compression, header.filters) == (8, 0, 0)
        is_plain = is_plain and header.colours in (0, 2) and header.interlacing in (0, 1)
        kinds = [chunk.kind for chunk in chunks]
        if b"IDAT" not in kinds:
            return False
        first, count = kinds.index(b"IDAT"), kinds.count(b"IDAT")
        if (
            not is_plain
            or chunks[first].start == chunks[first].end
            or kinds[first : first + count] != [b"IDAT"] * count
        ):
            return False
        for chunk in chunks[1:-1]:
            is_pixels = chunk.kind == b"IDAT"
            limit = max(_LARGEST_CHUNK, self._size) if is_pixels else _LARGEST_EXTRA
            if (chunk.is_critical and not is_pixels) or chunk.kind in _NOT_PLAIN or chunk.end - chunk.start > limit:
                return False
        # libpng gives the stream no larger a window than it asks for.
        window = 1 << (self.data[chunks[first].start] >> 4) + 8
        return (
            all(chunk.matches for chunk in chunks) and window >= min(_LARGEST_WINDOW, self._size) and self._missing == 0
        )

    @cached_property
    def _chunks(self) -> list[_Chunk]:
        return list(_chunks(self.data))

    @cached_property
    def _header(self) -> _Header | None:
        if not self._chunks or self._chunks[0].end - self._chunks[0].start != 13:
            return None
        header = _Header(*_HEADER.unpack_from(self.data, len(SIGNATURE)))
        is_known = header.kind == b"IHDR" and header.bits in _BIT_DEPTHS and header.colours in _CHANNELS
        return header if is_known else None

    @cached_property
    def _size(self) -> int:
        """Bytes of the pixels and their filters, as the header says."""
        header = self._header
        if header is None:
            return 0
        size = 0
        for top, left, down, right in _PASSES if header.interlacing else ((0, 0, 1, 1),):
            columns, rows = -(-(header.width - left) // right), -(-(header.height - top) // down)
            if columns > 0 and rows > 0:
                size += rows * (1 + (columns * header.bits * _CHANNELS[header.colours] + 7) // 8)
        return size

    @cached_property
    def _missing(self) -> int:
        """Bytes of the pixels that are not there; negative for a stream that goes on behind them, or has no end."""
        missing, stream = self._size, zlib.decompressobj()
        packed = b""
        try:
            for chunk in self._chunks:
                if chunk.kind == b"IDAT":
                    packed = self.data[chunk.start : chunk.end]
                    while packed and not stream.eof and missing >= 0:
                        missing -= len(stream.decompress(packed, _PIECE))
                        packed = stream.unconsumed_tail
        except zlib.error:
            return missing or -1
        return missing if missing else -int(not stream.eof or bool(stream.unused_data))


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Yield the chunks up to the end's, or to one that isn't there in full."""
    view, start = memoryview(data), len(SIGNATURE)
    while start + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        end = start + 8 + length
        if not kind.isalpha():
            return
        if end + 4 > len(data):
            yield _Chunk(kind, start + 8, min(end, len(data)), matches=False)
            return
        [checksum] = struct.unpack_from(">I", data, end)
        yield _Chunk(kind, start + 8, end, zlib.crc32(view[start + 4 : end]) == checksum)
        if kind == b"IEND":
            return
        start = end + 4
