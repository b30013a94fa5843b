"""Whether a JPEG is whole and plain enough that TensorFlow is sure to decode it, to the picture that Pillow shows.

libjpeg forgives much of what TensorFlow, which uses it too, refuses: it must find the end marker. And its versions
differ in what they make of scans that are missing and of rare subsampling. Here markers are read, not pixels.
"""

import re
from dataclasses import dataclass

_START, _END, _SCAN, _RESTART_INTERVAL = 0xD8, 0xD9, 0xDA, 0xDD
_FRAMES = {0xC0: False, 0xC1: False, 0xC2: True}  # Huffman coding with 8 bits; whether it is progressive
# Tables, comments and what applications add: libjpeg reads or skips them, the same way in all its versions.
_PLAIN = {0xC4, 0xDB, 0xFE, *range(0xE0, 0xF0)}
# How much wider and higher the colours' pixels are. Others are interpolated by some versions of libjpeg only.
_SUBSAMPLINGS = {(1, 1), (2, 1), (2, 2)}
_AFTER_SCAN = re.compile(rb"\xff[^\x00]")
_AFTER_SCAN_WITH_RESTARTS = re.compile(rb"\xff[^\x00\xd0-\xd7]")
_RESTARTS = re.compile(rb"\xff([\xd0-\xd7])")
_COEFFICIENTS = 64


@dataclass
class _Component:
    horizontal: int
    vertical: int
    bits_due: list[int | None]  # of each coefficient the low bits that are still to come; None: all of it is


@dataclass
class _Frame:
    width: int
    height: int
    progressive: bool
    components: dict[int, _Component]

    def is_whole(self) -> bool:
        return all(component.bits_due.count(0) == _COEFFICIENTS for component in self.components.values())


def is_plain_jpeg(data: bytes) -> bool:
    """Return True for baseline and progressive files of 8 bits, grey or in colour, all of whose scans are there.

    Between the start and the end marker nothing may lie but segments and scans; what follows the end isn't looked at.
    """
    frame: _Frame | None = None
    interval, position, is_whole = 0, 2, False
    if not data.startswith(bytes((0xFF, _START))):
        return False
    try:
        while True:
            if data[position] != 0xFF:
                return False
            marker = data[position + 1]
            if marker == _END:
                return is_whole
            length = int.from_bytes(data[position + 2 : position + 4], "big")
            segment = data[position + 4 : position + 2 + length]
            position += 2 + length
            if length < 2 or position > len(data) or is_whole:
                return False
            if marker in _FRAMES and frame is None:
                frame = _read_frame(segment, _FRAMES[marker])
                if frame is None:
                    return False
            elif marker == _RESTART_INTERVAL and length == 4:
                interval = int.from_bytes(segment, "big")
            elif marker == _SCAN and frame is not None:
                names = _read_scan(segment, frame)
                end = (_AFTER_SCAN_WITH_RESTARTS if interval else _AFTER_SCAN).search(data, position)
                if not names or end is None:
                    return False
                if interval and not _restarts_agree(data, position, end.start(), _units(frame, names), interval):
                    return False
                position, is_whole = end.start(), frame.is_whole()
            elif marker not in _PLAIN:
                return False
    except IndexError:  # it ends in the middle of something
        return False


def _read_frame(segment: bytes, progressive: bool) -> _Frame | None:
    """Return what a frame header says, or None where it is none of those that we keep."""
    height, width = int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big")
    count = segment[5]
    if segment[0] != 8 or not height or not width or count not in (1, 3) or len(segment) != 6 + 3 * count:
        return None
    components = {}
    for at in range(6, len(segment), 3):
        horizontal, vertical = segment[at + 1] >> 4, segment[at + 1] & 15
        components[segment[at]] = _Component(horizontal, vertical, [None] * _COEFFICIENTS)
    luma, *colours = components.values()
    if len(components) != count or not all(1 <= side <= 4 for side in (luma.horizontal, luma.vertical)):
        return None
    for colour in colours:
        ratios = {
            (wide, high)
            for wide, high in _SUBSAMPLINGS
            if (colour.horizontal * wide, colour.vertical * high) == (luma.horizontal, luma.vertical)
        }
        same = (colour.horizontal, colour.vertical) == (colours[0].horizontal, colours[0].vertical)
        if not ratios or not same:
            return None
    return _Frame(width, height, progressive, components)


def _read_scan(segment: bytes, frame: _Frame) -> list[int]:
    """Note which bits of which coefficients a scan brings; return its components, none where it is not in order."""
    names = list(segment[1 : 1 + 2 * segment[0] : 2])
    if len(segment) != 4 + 2 * segment[0] or len(set(names)) != segment[0] or not set(names) <= set(frame.components):
        return []
    first, last, before, after = segment[-3], segment[-2], segment[-1] >> 4, segment[-1] & 15
    if frame.progressive:
        in_order = first == last == 0 if first == 0 else len(names) == 1 and first <= last < _COEFFICIENTS
        in_order = in_order and after <= 13 and before in (0, after + 1)
    else:
        in_order = (first, last, before, after) == (0, _COEFFICIENTS - 1, 0, 0)
    if not in_order:
        return []
    for name in names:
        due = frame.components[name].bits_due
        count = last + 1 - first
        if due[first : last + 1].count(before or None) < count or (first and due[0] is None):
            return []
        due[first : last + 1] = [after] * count
    return names


def _units(frame: _Frame, names: list[int]) -> int:
    """Return the number of coded units of a scan."""
    widest = max(component.horizontal for component in frame.components.values())
    highest = max(component.vertical for component in frame.components.values())
    width, height = 8 * widest, 8 * highest
    if len(names) == 1:  # one block each, only those that hold pixels
        [name] = names
        component = frame.components[name]
        width, height = width // component.horizontal, height // component.vertical
    return -(-frame.width // width) * -(-frame.height // height)


def _restarts_agree(data: bytes, start: int, end: int, units: int, interval: int) -> bool:
    found = b"".join(_RESTARTS.findall(data, start, end))
    return found == bytes(0xD0 + number % 8 for number in range((units - 1) // interval))
