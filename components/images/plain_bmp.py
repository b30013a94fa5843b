"""Whether a BMP is one that TensorFlow takes: it reads a few fields at fixed places, and wants the size to agree."""

import struct

_HEADERS = {40, 108, 124}  # bytes; older ones have their fields elsewhere
_FIELDS = struct.Struct("<2s8xIIiiHHI")  # signature, offset of the pixels, header, width, height, planes, bits, packing


def is_plain_bmp(data: bytes) -> bool:
    """Return True for 24 bits a pixel, unpacked, with nothing before, between or behind its rows but its headers."""
    if len(data) < 54:
        return False
    signature, offset, header, width, height, planes, bits, packing = _FIELDS.unpack_from(data)
    return (
        (signature, planes, bits, packing) == (b"BM", 1, 24, 0)
        and header in _HEADERS
        and offset >= 14 + header
        and width > 0
        and len(data) == offset + (3 * width + 3) // 4 * 4 * abs(height)
    )
