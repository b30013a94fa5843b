"""Which bytes are kept: those that TensorFlow is sure to decode. Whole campaigns: tests/benchmarks/decoders.py."""

import io
from collections import Counter

import cv2
import numpy as np
import pytest
from damaged_files import damaged, png_chunks, png_of, whole_files
from PIL import Image, PngImagePlugin

from components.images.codec import BadImage, decode, for_tensorflow

FILES = whole_files()
PIXELS = decode(FILES["png_rgb"]).pixels
CHUNKS = png_chunks(FILES["png_rgb"])
PACKED = CHUNKS[-2][1]


def png_with_pixels(packed: bytes) -> bytes:
    return png_of([CHUNKS[0], (b"IDAT", packed), CHUNKS[-1]])


@pytest.mark.parametrize("kind", FILES)
def test_a_whole_file_keeps_its_bytes(kind: str) -> None:
    found = decode(FILES[kind])

    assert for_tensorflow(FILES[kind], found) == (FILES[kind], found.format)


@pytest.mark.parametrize("kind", [kind for kind in FILES if not kind.startswith("bmp")])
def test_what_follows_the_end_does_no_harm(kind: str) -> None:
    assert decode(FILES[kind] + bytes(200)).keep


JPEG, BMP, PNG = FILES["jpeg_baseline"], FILES["bmp"], FILES["png_rgb"]
SCAN = FILES["jpeg_progressive"].rindex(b"\xff\xda")
RESTART = FILES["jpeg_restarts_exif"].index(b"\xff\xd3")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(JPEG[:-2] + bytes(200), id="a JPEG's end is overwritten"),
        pytest.param(JPEG[:2] + b"\xff\xff" + JPEG[2:], id="a JPEG's segments are filled up"),
        pytest.param(JPEG[:-2] + b"\xff\xfe\0\x04hi\xff\xd9", id="a segment follows a JPEG's last scan"),
        pytest.param(FILES["jpeg_progressive"][:SCAN] + b"\xff\xd9", id="a progressive JPEG lacks its last scan"),
        pytest.param(
            FILES["jpeg_restarts_exif"][: RESTART + 1] + b"\xd5" + FILES["jpeg_restarts_exif"][RESTART + 2 :],
            id="a JPEG's restarts are out of order",
        ),
        pytest.param(BMP + b"\0\0", id="a BMP is padded"),
        pytest.param(PNG[:-12], id="a PNG has no end"),
        pytest.param(PNG[:-14], id="a PNG's last checksum is cut"),
        pytest.param(png_with_pixels(PACKED[:-3]), id="a PNG's stream has no end"),
        pytest.param(png_with_pixels(b"\x18\x95" + PACKED[2:]), id="a PNG asks for too small a window"),
        pytest.param(png_of([CHUNKS[0], (b"juNK", bytes(2_000_000)), *CHUNKS[1:]]), id="a PNG has a huge chunk"),
    ],
)
def test_what_pillow_forgives_is_encoded_again(data: bytes) -> None:
    found = decode(data)
    stored, _ = for_tensorflow(data, found)

    assert not found.keep
    assert stored != data
    assert decode(stored).keep
    assert decode(stored).pixels.shape == found.pixels.shape == PIXELS.shape


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_a_jpeg_of_any_usual_subsampling_is_kept(subsampling: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "JPEG", subsampling=subsampling)

    assert decode(buffer.getvalue()).keep


def test_a_jpeg_of_unusual_subsampling_is_encoded_again() -> None:
    done, encoded = cv2.imencode(
        ".jpg", PIXELS, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440]
    )

    assert done
    assert not decode(encoded.tobytes()).keep


def test_a_png_whose_checksum_does_not_match_is_damaged() -> None:
    changed = bytearray(PNG)
    changed[-20] ^= 1

    with pytest.raises(BadImage, match="damaged: the checksum of IDAT doesn't match"):
        decode(bytes(changed))


def test_a_png_that_ends_before_its_last_row_is_damaged() -> None:
    taller = bytearray(CHUNKS[0][1])
    taller[7] += 9

    with pytest.raises(BadImage, match="damaged: it ends before its last row"):
        decode(png_of([(b"IHDR", bytes(taller)), *CHUNKS[1:]]))


@pytest.mark.parametrize("compressed", [True, False])
def test_a_png_with_a_long_text_is_read(compressed: bool) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("workflow", "x" * 2_000_000, zip=compressed)
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "PNG", pnginfo=info)

    found = decode(buffer.getvalue())

    assert np.array_equal(found.pixels, PIXELS)
    assert found.keep == compressed


def test_a_picture_longer_than_tensorflow_decodes_is_refused() -> None:
    buffer = io.BytesIO()
    Image.new("L", (1_000_001, 1)).save(buffer, "PNG")

    with pytest.raises(BadImage, match="1000001×1 is more than TensorFlow decodes"):
        decode(buffer.getvalue())


@pytest.mark.heavy
@pytest.mark.parametrize("kind", FILES)
def test_tensorflow_shows_every_damaged_file_that_is_kept_to_the_bit(kind: str) -> None:
    from tensorflow_verdict import verdict

    found = Counter(verdict(data) for _, data in damaged(FILES[kind], seed=7, count=300))

    assert found["refused"] == found["different"] == 0
    assert min(found["kept"], found["encoded again"], found["unusable"]) > 5
