"""Small files of the formats whose bytes are kept, and what can happen to them: the same for the same seed."""

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def whole_files() -> dict[str, bytes]:
    """Return one whole file of each kind."""
    y, x = np.mgrid[:45, :61]
    noise = np.random.default_rng(3).integers(0, 60, (45, 61, 3))
    pixels = (np.stack([x * 3, y * 4, (x + 2 * y) % 190], axis=-1) + noise).clip(0, 255).astype(np.uint8)
    colour = Image.fromarray(pixels)
    grey = colour.convert("L")
    exif = Image.Exif()
    exif[0x010E] = "a picture"
    exif[0x0112] = 1
    return {
        "jpeg_baseline": _saved(colour, "JPEG", quality=85),
        "jpeg_progressive": _saved(colour, "JPEG", quality=85, progressive=True),
        "jpeg_grey": _saved(grey, "JPEG", quality=90),
        "jpeg_restarts_exif": _saved(colour, "JPEG", quality=80, restart_marker_blocks=3, exif=exif, subsampling=0),
        "png_grey": _saved(grey, "PNG"),
        "png_rgb": _saved(colour, "PNG", pnginfo=None, dpi=(72, 72)),
        "png_interlaced": interlaced_png(pixels),
        "bmp": _saved(colour, "BMP"),
    }


def damaged(data: bytes, seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield the name of what happened to a file, and the file, `count` times."""
    for number in range(count):
        draw = random.Random(f"{seed} {number}")
        name, change = draw.choice(_CHANGES)
        yield f"{name} {number}", change(data, draw)


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return the kinds and contents of a whole PNG's chunks."""
    chunks, start = [], len(SIGNATURE)
    while start + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        chunks.append((kind, data[start + 8 : start + 8 + length]))
        start += 12 + length
    return chunks


def png_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Return a PNG with these chunks, and checksums that match."""
    checked = [(kind, content, zlib.crc32(kind + content)) for kind, content in chunks]
    return SIGNATURE + b"".join(struct.pack(">I", len(c)) + kind + c + struct.pack(">I", s) for kind, c, s in checked)


def interlaced_png(pixels: np.ndarray) -> bytes:
    """Return RGB pixels as an interlaced PNG, which Pillow can't write; its pixels come in several chunks."""
    height, width, _ = pixels.shape
    rows = bytearray()
    for top, left, down, right in _ADAM7:
        for row in pixels[top::down, left::right]:
            rows += b"\0" + row.tobytes()
    packed = zlib.compress(bytes(rows))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1)
    pieces = [packed[start : start + 1000] for start in range(0, len(packed), 1000)]
    return png_of([(b"IHDR", header), *((b"IDAT", piece) for piece in pieces), (b"IEND", b"")])


def _saved(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def _run(data: bytes, draw: random.Random) -> tuple[int, int]:
    """Return start and end of a short run; half of them lie in the first bytes, where the headers are."""
    start = draw.randrange(min(len(data), draw.choice((40, 700, len(data), len(data)))))
    return start, min(len(data), start + draw.choice((1, 2, 4, 30, 300)))


def _flip(data: bytes, draw: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 3))):
        changed[_run(data, draw)[0]] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _overwrite(data: bytes, draw: random.Random) -> bytes:
    start, end = _run(data, draw)
    return data[:start] + draw.randbytes(end - start) + data[end:]


def _blank(data: bytes, draw: random.Random) -> bytes:
    start, end = _run(data, draw)
    return data[:start] + bytes([draw.choice((0, 0, 0xFF))]) * (end - start) + data[end:]


def _blank_end(data: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(data) // 2, len(data))
    return data[:start] + bytes(len(data) - start + draw.choice((0, 200)))


def _truncate(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.choice((draw.randrange(len(data)), len(data) - draw.randrange(1, 20)))]


def _insert(data: bytes, draw: random.Random) -> bytes:
    start, end = _run(data, draw)
    return data[:start] + draw.randbytes(end - start) + data[start:]


def _delete(data: bytes, draw: random.Random) -> bytes:
    start, end = _run(data, draw)
    return data[:start] + data[end:]


def _repeat(data: bytes, draw: random.Random) -> bytes:
    start, end = _run(data, draw)
    return data[:end] + data[start:end] + data[end:]


def _append(data: bytes, draw: random.Random) -> bytes:
    return data + draw.choice((bytes(draw.randrange(1, 9)), draw.randbytes(50), data))


def _parts(data: bytes) -> list[bytes]:
    """Cut a file into a PNG's chunks, a JPEG's segments and scans, or equal pieces."""
    if data.startswith(SIGNATURE):
        return [png_of([chunk])[len(SIGNATURE) :] for chunk in png_chunks(data)]
    cuts = [at for at in range(2, len(data) - 1) if data[at] == 0xFF and 0xC0 <= data[at + 1] < 0xFF]
    if not data.startswith(b"\xff\xd8"):
        cuts = list(range(100, len(data), 100))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def _swap(data: bytes, draw: random.Random) -> bytes:
    parts = _parts(data)
    first, second = draw.randrange(len(parts)), draw.randrange(len(parts))
    parts[first], parts[second] = parts[second], parts[first]
    return data[:8] * data.startswith(SIGNATURE) + b"".join(parts)


def _drop(data: bytes, draw: random.Random) -> bytes:
    parts = _parts(data)
    del parts[draw.randrange(len(parts))]
    return data[:8] * data.startswith(SIGNATURE) + b"".join(parts)


def _inside(data: bytes, draw: random.Random) -> bytes:
    """Change a part's content and leave its frame as it should be: checksums of a PNG match."""
    if not data.startswith(SIGNATURE):
        return _overwrite(data, draw)
    chunks = png_chunks(data)
    at = draw.randrange(len(chunks))
    kind, content = chunks[at]
    if content:
        chunks[at] = kind, draw.choice((_flip, _overwrite, _delete, _insert, _truncate, _blank))(content, draw)
    return png_of(chunks)


_CHANGES: list[tuple[str, Callable[[bytes, random.Random], bytes]]] = [
    ("flip", _flip),
    ("flip", _flip),
    ("overwrite", _overwrite),
    ("blank", _blank),
    ("blank end", _blank_end),
    ("truncate", _truncate),
    ("insert", _insert),
    ("delete", _delete),
    ("repeat", _repeat),
    ("append", _append),
    ("swap", _swap),
    ("drop", _drop),
    ("inside", _inside),
    ("inside", _inside),
]
