"""Room in memory for large pictures: as many are decoded at a time, by all of a user's processes, as fit into it.

    with Room() as room:
        picture = decode(data, max_pixels, room.take)
        …  # as long as the picture is needed

A file of 2 kB may be a picture of 50 megapixels, which takes more than a gigabyte. So it is the pixels that count: what
a header promises waits, before it is decoded, until there is room for it. The processes know each other by names that
the system holds for as long as a process is alive: nothing is left behind, whatever ends it.
"""

import errno
import functools
import os
import socket
import time
from contextlib import ExitStack

from components.tools.memory import memory_limit

# What the codec takes at its peak for a pixel of the dearest kind, a WebP's; measured.
_BYTES_PER_PIXEL = 32
_SHARE = 0.5  # of the memory; the rest is for all else
_PIXELS_PER_SLOT = 4_000_000
_MOST_SLOTS = 256
_SECONDS_BETWEEN_TRIES = 0.02


@functools.cache
def slots() -> int:
    """Return how many times `_PIXELS_PER_SLOT` pixels fit into the memory."""
    fitting = int(_SHARE * memory_limit() / (_BYTES_PER_PIXEL * _PIXELS_PER_SLOT))
    return max(1, min(_MOST_SLOTS, fitting))


class Room:
    """What pictures take of the memory until the block ends; small ones don't count."""

    def __init__(self, name: str = "affect-pictures") -> None:
        """Share the room with all of this user's processes that know it by this name."""
        self._name = f"\0{name}-{os.getuid()}"
        self._taken = ExitStack()

    def __enter__(self) -> "Room":
        """Take nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give back what was taken."""
        self._taken.close()

    def take(self, pixels: int) -> None:
        """Wait for room for a picture of so many pixels; one that needs all the room there is gets it alone."""
        needed = min(pixels // _PIXELS_PER_SLOT, slots())
        while needed and not self._try(needed):
            time.sleep(_SECONDS_BETWEEN_TRIES)

    def _try(self, needed: int) -> bool:
        """Take so many slots, or none: who held some and waited for more would wait for others who do the same."""
        with ExitStack() as taken:
            for number in range(slots()):
                if needed and (slot := self._slot(number)) is not None:
                    taken.enter_context(slot)
                    needed -= 1
            if needed:
                return False
            self._taken.enter_context(taken.pop_all())
        return True

    def _slot(self, number: int) -> socket.socket | None:
        slot = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            slot.bind(f"{self._name}-{number}")  # an abstract name: of one socket at a time
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                slot.close()
                return None
            # A system without such names, or one that forbids them: nobody waits.
        return slot
