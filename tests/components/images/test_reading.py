"""How much of a file is read."""

import io
from collections.abc import Generator
from pathlib import Path

import pytest
from damaged_files import whole_files
from PIL import Image

from components.images import reading
from components.images.codec import BadImage, decode
from components.images.kinds import READABLE, may_be_an_image
from components.images.pieces import file_pieces
from components.images.reading import image_bytes


def in_pieces(data: bytes, size: int, given: list[int]) -> Generator[bytes]:
    for start in range(0, len(data), size):
        given.append(start)
        yield data[start : start + size]


@pytest.mark.parametrize("file_format", [name for name in READABLE if name in Image.SAVE])
def test_an_image_of_any_format_is_read_to_its_end(file_format: str) -> None:
    buffer = io.BytesIO()
    Image.effect_noise((48, 48), 50).convert("P" if file_format == "GIF" else "RGB").save(buffer, file_format)
    data = buffer.getvalue()

    assert image_bytes(in_pieces(data, 512, []), 50_000_000) == data
    assert decode(data).pixels.shape[:2] == (48, 48)


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (b"PK\x03\x04", "a zip archive"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"\0\0\0\x18ftypisom", "a video"),
        (b"%PDF-1.7", "PDF"),
        (bytes(128) + b"DICM", "DICOM"),
        (b"label,path\n", "not an image"),
    ],
)
def test_of_another_file_no_more_than_its_first_pieces_are_read(head: bytes, named: str) -> None:
    given: list[int] = []

    with pytest.raises(BadImage, match=named):
        image_bytes(in_pieces(head + bytes(100_000), 1000, given), 50_000_000)

    assert given == [0, 1000]


def test_a_small_file_that_is_no_image_says_what_it_is() -> None:
    with pytest.raises(BadImage, match="HEIC; convert it to JPEG or PNG"):
        decode(image_bytes(in_pieces(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", 1000, []), 1))


def test_a_file_that_begins_like_an_image_is_read_as_far_as_one_can_be_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_BYTES_BESIDE", 1000)
    given: list[int] = []

    with pytest.raises(BadImage, match=r"too large: more than the 9000 bytes that data.max_pixels = 1000 allows"):
        image_bytes(in_pieces(whole_files()["bmp"] + bytes(100_000), 500, given), 1000)

    assert given[-1] == 9000


def test_a_file_of_zeros_is_no_image() -> None:
    assert not may_be_an_image(bytes(512))
    assert not may_be_an_image(b"")


@pytest.mark.parametrize("size", [0, 1, 4_000_000, 4_000_001, 9_000_000])
def test_pieces_make_up_the_file(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * (size // 256) + bytes(size % 256))

    pieces = list(file_pieces(path))

    assert b"".join(pieces) == path.read_bytes()
    assert max(map(len, pieces), default=0) <= 4_000_000
