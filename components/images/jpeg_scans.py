"""How many scans a JPEG has: each passes over all pixels, however few bytes it is of.

libjpeg's progressive files have 10 scans, 18 with four components (`jpeg_simple_progression`); MozJPEG's, which tries
divisions of the spectrum, stay below 20 too. libjpeg-turbo's own programs stop at 500 if they are told to beware.
"""

import re

_START_OF_SCAN, _END = 0xDA, 0xD9
_ALONE = {0x01, 0xD8, *range(0xD0, 0xD8)}  # markers without a segment
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_MARKER = re.compile(rb"\xff[^\x00\xff]")
# Of any picture; and of one that is so large that these many take seconds.
_MOST_SCANS, _ALWAYS = 100, 20
_MOST_PIXELS_IN_ALL = 1_000_000_000


def too_many_scans(data: bytes, pixels: int) -> int | None:
    """Return how many scans a JPEG may have at most, if it has more; else None.

    Args:
        data: the file. What follows the picture's end, such as a film, isn't looked at.
        pixels: of the picture.
    """
    most = min(_MOST_SCANS, max(_ALWAYS, _MOST_PIXELS_IN_ALL // max(pixels, 1)))
    if data.count(bytes((0xFF, _START_OF_SCAN))) <= most:
        return None
    scans, position = 0, 2
    while scans <= most:
        found = _MARKER.search(data, position)
        if found is None or data[found.end() - 1] == _END:
            return None
        marker, position = data[found.end() - 1], found.end()
        if marker in _ALONE:
            continue
        position += int.from_bytes(data[position : position + 2], "big")
        if marker == _START_OF_SCAN:
            scans += 1
            after = _AFTER_SCAN.search(data, position)
            if after is None:
                return None
            position = after.start()
    return most
