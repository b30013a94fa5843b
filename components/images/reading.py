"""A file's bytes as far as they may be an image: what can't be one is not held in memory."""

import io
from collections.abc import Generator
from contextlib import closing

from components.images.codec import BadImage
from components.images.kinds import HEAD, may_be_an_image, why_unreadable

# Of one pixel in the largest format (four samples of 16 bits), and of all that isn't pixels.
_BYTES_PER_PIXEL = 8
_BYTES_BESIDE = 64_000_000


def image_bytes(pieces: Generator[bytes], max_pixels: int) -> bytes:
    """Return the bytes of a file, which comes in pieces.

    A file of one piece is returned whatever it is; of a longer one the first must begin like an image.

    Raises:
        BadImage: it isn't an image, or longer than one of `max_pixels` pixels can be.
    """
    with closing(pieces):
        first = next(pieces, b"")
        second = next(pieces, b"")
        if not second:
            return first
        if not may_be_an_image(first[:HEAD]):
            raise BadImage(why_unreadable(first[:HEAD]))
        limit = _BYTES_PER_PIXEL * max_pixels + _BYTES_BESIDE
        file = io.BytesIO()
        file.write(first)
        file.write(second)
        del first, second
        for piece in pieces:
            if file.tell() + len(piece) > limit:
                raise BadImage(f"too large: more than the {limit} bytes that data.max_pixels = {max_pixels} allows")
            file.write(piece)
        return file.getvalue()
