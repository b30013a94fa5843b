"""A mark in an augmented copy's own bytes: which file it was made from, and which of its copies it is.

The mark is one line of text where programs look for a picture's comment: a comment segment of a JPEG file, a `tEXt`
chunk of a PNG file, the image description in a WebP file's EXIF block or among a TIFF file's tags. BMP has no such
place. No decoder shows another picture because of it.
"""

import re
import struct
import zlib
from typing import NamedTuple

_BEGINNING = b"affect-copy source-sha256="
_MARK = re.compile(re.escape(_BEGINNING) + rb"([0-9a-f]{64}) copy=([1-9][0-9]{0,8})(?![0-9])")

# The tag of an image's description, and the type of its value: text that ends in a NUL.
_DESCRIPTION, _TEXT = 270, 2
_HAS_EXIF = 8  # of the flags in a WebP file's extended header


class CopyMark(NamedTuple):
    """What a copy says of itself: digest of its source's file in hex, its number from 1."""

    source_sha256: str
    number: int


def marked(data: bytes, encoding: str, mark: CopyMark) -> bytes:
    """Return an image file with the mark in it, or as it is where its format has no room.

    Args:
        data: as `components.images.codec.encode` returns it.
        encoding: its format.
        mark: what is put in.
    """
    text = _BEGINNING + f"{mark.source_sha256} copy={mark.number}".encode("ascii")
    put_in = {"jpeg": _in_jpeg, "png": _in_png, "webp": _in_webp, "tiff": _in_tiff}.get(encoding)
    return put_in(data, text) if put_in else data


def read_mark(data: bytes) -> CopyMark | None:
    """Return the mark in a file's bytes, if there is one: wherever a program that rewrote the file has put it."""
    at = data.find(_BEGINNING)
    found = _MARK.match(data, at) if at >= 0 else None
    return CopyMark(found[1].decode("ascii"), int(found[2])) if found else None


def _in_jpeg(data: bytes, text: bytes) -> bytes:
    at = 2
    if data[at : at + 2] == b"\xff\xe0":  # JFIF's segment has to be the first
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data[:at] + b"\xff\xfe" + struct.pack(">H", 2 + len(text)) + text + data[at:]


def _in_png(data: bytes, text: bytes) -> bytes:
    at = 8 + 12 + 13  # behind the signature and IHDR, which is the first chunk and of fixed length
    chunk = b"tEXt" + b"Comment\0" + text
    return data[:at] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[at:]


def _in_webp(data: bytes, text: bytes) -> bytes:
    """Make an extended file of the simple one that the encoder writes, since only those may have metadata.

    Source: the WebP container specification; the size is in the frame's header (RFC 6386, 9.1).
    """
    chunks = data[12:]
    width, height = (value & 0x3FFF for value in struct.unpack("<HH", chunks[14:18]))
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    exif = b"II*\0" + struct.pack("<IHHHIII", 8, 1, _DESCRIPTION, _TEXT, len(text) + 1, 26, 0) + text + b"\0"
    body = b"WEBP" + _chunk(b"VP8X", bytes((_HAS_EXIF, 0, 0, 0)) + size) + chunks + _chunk(b"EXIF", exif)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)


def _in_tiff(data: bytes, text: bytes) -> bytes:
    """Append a directory with one tag more; offsets count from the file's beginning, so all else stays where it is."""
    order = "<" if data[:2] == b"II" else ">"
    [start] = struct.unpack_from(f"{order}I", data, 4)
    [count] = struct.unpack_from(f"{order}H", data, start)
    tags = [data[start + 2 + 12 * i : start + 14 + 12 * i] for i in range(count)]
    following = data[start + 2 + 12 * count :][:4]
    data += b"\0" * (len(data) % 2)
    new = len(data) + len(text) + 1 + (len(text) + 1) % 2
    tags.append(struct.pack(f"{order}HHII", _DESCRIPTION, _TEXT, len(text) + 1, len(data)))
    tags.sort(key=lambda tag: struct.unpack(f"{order}H", tag[:2]))
    value = text + b"\0" * (new - len(data) - len(text))
    directory = struct.pack(f"{order}H", count + 1) + b"".join(tags) + following
    return data[:4] + struct.pack(f"{order}I", new) + data[8:] + value + directory
